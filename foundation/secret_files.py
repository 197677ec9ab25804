"""Secrets from files, as containers have them: `SECRET_KEY_FILE` is the path of a file with the SECRET_KEY.

Standard library only.
"""

import os
from pathlib import Path

SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "MONGODB_URI",
    "KAFKA_SASL_PASSWORD",
    "SCHEMA_REGISTRY_URL",
    "EMAIL_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_WEBHOOK_SECRET_FALLBACKS",
    "SERVICE_API_KEY",
    "MONITOR_TOKEN",
    "MONITOR_TOKEN_FALLBACKS",
)
"""The settings that may stand in a file."""


class SecretFileError(Exception):
    """A file that cannot be used; the text is a sentence that names the setting."""


def read_secret_files() -> None:
    """Set each of SECRETS whose `<name>_FILE` names a file to what is in it, without the line's end.

    The variable with the path is taken away, so that child processes read the file no second time. Raises
    SecretFileError where a file cannot be read or is empty, and where the setting has a value besides.
    """
    found = {name: _content(name, Path(path)) for name in SECRETS if (path := _path_of(name))}
    # Not before all are read: Django may read the settings again after an error, and must find it again.
    for name in SECRETS:
        os.environ.pop(f"{name}_FILE", None)
    os.environ.update(found)


def _path_of(name: str) -> str:
    path = os.environ.get(f"{name}_FILE", "").strip()
    if path and os.environ.get(name):
        raise SecretFileError(f"{name} and {name}_FILE are both set: set one of them.")
    return path


def _content(name: str, path: Path) -> str:
    try:
        content = path.read_text().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretFileError(f"{name}_FILE cannot be read: {error}.") from error
    if not content or "\n" in content:
        raise SecretFileError(f"{name}_FILE must hold one line, but {path} does not.")
    return content
