"""The settings of a running stack: the environment of its processes, and a file that other shells read."""

import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools.stack.ports import Ports

# The settings that the caller's environment may set; its other variables are not written to the file.
_FROM_CALLER = (
    "SECRET_KEY",
    "SERVICE_API_KEY",
    "DEBUG",
    "ALLOWED_HOSTS",
    "FRONTEND_URL",
    "DATABASE_URL",
    "MONGODB_URI",
    "KAFKA_BROKERS",
    "KAFKA_SECURITY_PROTOCOL",
    "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_USERNAME",
    "KAFKA_SASL_PASSWORD",
    "KAFKA_SSL_CA",
    "KAFKA_SSL_CERTIFICATE",
    "KAFKA_SSL_KEY",
    "KAFKA_REPLICATION_FACTOR",
    "KAFKA_PARTITIONS",
    "KAFKA_RETENTION_DAYS",
    "SCHEMA_REGISTRY_URL",
    "EMAIL_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "LOG_FORMAT",
    "LOGIN_RATE",
    "LOGIN_FAILURES",
    "LOGIN_LOCK_MINUTES",
    "REGISTRATION_RATE",
    "USER_RATE",
    "ADDRESS_RATE",
    "TRUSTED_PROXIES",
    "PLAIN_HTTP",
    "HSTS_SECONDS",
    "SESSION_HOURS",
    "MONITOR_ADDRESSES",
    "MONITOR_TOKEN",
)


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
    def logs(self) -> Path:
        return self.directory / "logs"

    def write(self) -> None:
        """Writes the values to `env` in the directory, readable by the owner only."""
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(self.values.items())]
        unfinished = self.directory / "env.unfinished"
        unfinished.touch(mode=0o600)
        unfinished.write_text("# Written by ./start at every start; manage.py reads it.\n" + "".join(lines))
        unfinished.rename(_file(self.directory))


def make_settings(
    directory: Path, *, ports: Ports, servers: Mapping[str, str], caller: Mapping[str, str]
) -> Settings:
    """All settings: the caller's own, the addresses of the embedded servers, and defaults for one machine.

    `servers` maps settings to the addresses of the embedded servers. Secrets are created at random the first
    time, and read from the directory's `env` after that.
    """
    host = caller.get("WEB_HOST") or "127.0.0.1"
    values = {
        "DEBUG": "false",
        "PLAIN_HTTP": "true",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "FRONTEND_URL": f"http://localhost:{ports.web}",
        "KAFKA_REPLICATION_FACTOR": "1",
        "LOG_FORMAT": "console",
        # All users of a stack on one machine share one address.
        "LOGIN_RATE": "600/minute",
        "REGISTRATION_RATE": "600/minute",
        **new_secrets(),
        **_kept_secrets(directory),
        **{name: caller[name] for name in _FROM_CALLER if caller.get(name)},
        **servers,
        **ports.as_env(),
        "STACK_DIR": str(directory),
        "PROMETHEUS_MULTIPROC_DIR": str(directory / "metrics"),
    }
    return Settings(directory=directory, host=host, ports=ports, values=values)


def new_secrets() -> dict[str, str]:
    """Random values for the settings that are secrets."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        # The format of djangorestframework-api-key: a prefix that identifies the key, and the secret.
        "SERVICE_API_KEY": f"{secrets.token_hex(4)}.{secrets.token_hex(16)}",
    }


def _kept_secrets(directory: Path) -> dict[str, str]:
    if not _file(directory).exists():
        return {}
    lines = shlex.split(_file(directory).read_text(), comments=True)
    kept = dict(line.split("=", 1) for line in lines)
    return {name: kept[name] for name in new_secrets() if name in kept}


def _file(directory: Path) -> Path:
    return directory / "env"
