"""The settings of a running stack: the environment of its processes, and a file that other shells read."""

import re
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools.stack.errors import StackError
from devtools.stack.ports import Ports
from devtools.stack.private_files import write_private

# The rows of the table in docs/settings.md: what is documented can be set.
_TABLE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
_DOCUMENTED = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


@dataclass(frozen=True)
class Settings:
    """The directory, host and ports of a stack, and the environment that its processes get."""

    directory: Path
    host: str
    ports: Ports
    values: Mapping[str, str]

    @property
    def metrics(self) -> Path:
        return self.directory / "metrics"

    @property
    def temporary(self) -> Path:
        return self.directory / "temporary"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    def write(self) -> None:
        """Writes the values to `env` in the directory, readable by the owner only."""
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(self.values.items())]
        text = "# Written by ./start at every start; manage.py reads it.\n" + "".join(lines)
        write_private(_file(self.directory), text)


def make_settings(
    directory: Path, *, ports: Ports, servers: Mapping[str, str], caller: Mapping[str, str]
) -> Settings:
    """All settings: the caller's own, those of the embedded servers, and defaults for one machine.

    `servers` maps settings to the addresses and secrets of the embedded servers. Other secrets are created at
    random the first time, and read from the directory's `env` after that.
    """
    host = caller.get("WEB_HOST") or "127.0.0.1"
    values = {
        "DEBUG": "false",
        "PLAIN_HTTP": "true",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "FRONTEND_URL": f"http://localhost:{ports.web}",
        "PUBLIC_URL": f"http://localhost:{ports.web}",
        "PUBLIC_WS_URL": f"ws://localhost:{ports.sockets}",
        "KAFKA_REPLICATION_FACTOR": "1",
        "LOG_FORMAT": "console",
        "WATCHED_DISKS": f"data={directory}",
        # All users of a stack on one machine share one address.
        "LOGIN_RATE": "600/minute",
        "REGISTRATION_RATE": "600/minute",
        **new_secrets(),
        **_kept_secrets(directory),
        **{name: caller[name] for name in documented_settings() if caller.get(name, "").strip()},
        **servers,
        **ports.as_env(),
        "STACK_DIR": str(directory),
        "PROMETHEUS_MULTIPROC_DIR": str(directory / "metrics"),
    }
    return Settings(directory=directory, host=host, ports=ports, values=values)


def documented_settings() -> list[str]:
    """The settings that the caller's environment may set; its other variables are not written to the file."""
    return _DOCUMENTED.findall(_TABLE.read_text())


def new_secrets() -> dict[str, str]:
    """Random values for the settings that are secrets."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        # The format of djangorestframework-api-key: a prefix that identifies the key, and the secret.
        "SERVICE_API_KEY": f"{secrets.token_hex(4)}.{secrets.token_hex(16)}",
    }


def read_values(directory: Path) -> dict[str, str]:
    """What the last start wrote to `env` in the directory. Raises StackError if it cannot be understood."""
    try:
        lines = shlex.split(_file(directory).read_text(), comments=True)
        return dict(line.split("=", 1) for line in lines)
    except ValueError as error:
        raise StackError(
            f"{_file(directory)} cannot be read ({error}): mend it, or remove it for new secrets"
        ) from None


def _kept_secrets(directory: Path) -> dict[str, str]:
    if not _file(directory).exists():
        return {}
    kept = read_values(directory)
    return {name: kept[name] for name in new_secrets() if name in kept}


def _file(directory: Path) -> Path:
    return directory / "env"
