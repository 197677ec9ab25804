"""Makes the secrets of the compose file that are missing: `python -m devtools.containers.make_secrets DIR`.

DIR has a folder for each reader: `app` for our own processes, one each for PostgreSQL, MongoDB, Grafana.
A file that is there is kept: put your own in its place before the first start. Standard library only.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

FOLDERS = ("app", "postgres", "mongodb", "grafana")
# The containers of the readers have users of their own, and only the folder of each is mounted there.
_READABLE = 0o444


def main() -> None:
    """Makes what is missing; ends with one sentence where it cannot."""
    parser = argparse.ArgumentParser(prog="python -m devtools.containers.make_secrets", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--mongodb-members", default="mongodb:27017", help="host:port of each (default: %(default)s)"
    )
    options = parser.parse_args()
    try:
        make_secrets(options.folder, mongodb_members=options.mongodb_members)
    except OSError as error:
        sys.exit(f"The secrets cannot be kept: {error}.")


def make_secrets(folder: Path, *, mongodb_members: str) -> None:
    """Makes each file in `folder` that is not there; the URLs of the servers hold the passwords beside them.

    Raises OSError where a file cannot be read or written.
    """
    postgres = _kept(folder / "postgres" / "password", _password)
    mongodb = _kept(folder / "mongodb" / "password", _password)
    _kept(folder / "mongodb" / "key", lambda: secrets.token_hex(48))
    _kept(folder / "grafana" / "password", _password)
    app = {
        "secret_key": lambda: secrets.token_urlsafe(50),
        # The format of djangorestframework-api-key: a prefix that identifies the key, and the secret.
        "service_api_key": lambda: f"{secrets.token_hex(4)}.{secrets.token_hex(16)}",
        "database_url": lambda: f"postgres://postgres:{postgres}@postgres:5432/stockbridge",
        "mongodb_uri": lambda: (
            f"mongodb://stockbridge:{mongodb}@{mongodb_members}/stockbridge?replicaSet=rs0&authSource=admin"
        ),
        # Those of the payment sandbox. A gateway that takes money gives its own.
        "stripe_secret_key": lambda: f"sk_test_{secrets.token_hex(24)}",
        "stripe_webhook_secret": lambda: f"whsec_{secrets.token_hex(24)}",
    }
    for name, make in app.items():
        _kept(folder / "app" / name, make)


def _password() -> str:
    """In URLs it needs no escapes."""
    return secrets.token_hex(24)


def _kept(path: Path, make: Callable[[], str]) -> str:
    """The line in this file; made first where there is no file, whole or not at all."""
    if not path.exists():
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with unfinished.open("w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(_READABLE)
        unfinished.rename(path)
        print(f"made {path}", flush=True)
    return path.read_text().strip()


if __name__ == "__main__":
    main()
