"""Settings from the environment, and from the file that a running stack leaves for other shells.

`./start` writes every setting to `$STACK_DIR/env` (`.stack/env`); a variable of the real environment
wins over the file.
"""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[2]
STACK_DIR = Path(os.environ.get("STACK_DIR", BASE_DIR / ".stack"))

RATE = re.compile(r"[1-9][0-9]*/(second|minute|hour|day)")

env = environ.Env()

if (STACK_DIR / "env").is_file():
    environ.Env.read_env(str(STACK_DIR / "env"), overwrite=False)


DEBUG = env.bool("DEBUG", default=False)


def server(name: str, what: str, development: str) -> str:
    """Where a server is; only development may leave it out.

    Raises ImproperlyConfigured naming the setting where it is missing.
    """
    value = os.environ.get(name, "").strip() or (development if DEBUG else "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: it must hold {what}.")
    return value


def server_url(name: str, schemes: tuple[str, ...], development: str) -> str:
    """The same for a URL with one of these schemes. Raises ImproperlyConfigured on any other."""
    value = server(name, f"a URL such as {development}", development)
    if urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must be a URL such as {development}.")
    return value


def whole_number(name: str, default: int, minimum: int = 1) -> int:
    """A whole-number setting. Raises ImproperlyConfigured where it is no number or below the minimum."""
    text = os.environ.get(name, str(default))
    try:
        value = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from None
    if value < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {value}.")
    return value


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """A setting with a fixed set of values. Raises ImproperlyConfigured on any other."""
    value = os.environ.get(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def rate(name: str, default: str) -> str | None:
    """How often something may be done, such as `30/minute`; None where it is `off`.

    Raises ImproperlyConfigured on anything else.
    """
    value = os.environ.get(name, "").strip() or default
    if value != "off" and not RATE.fullmatch(value):
        raise ImproperlyConfigured(f"{name} must be a rate such as 30/minute, or off; not {value!r}.")
    return None if value == "off" else value
