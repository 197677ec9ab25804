"""The setting LOG_LEVELS: from which level on the modules write log lines."""

from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.settings.env import BASE_DIR, words
from foundation.log_levels import LogLevels, read_levels

OWN_LOGGERS = frozenset({"access", "librdkafka", "stockbridge"})
"""Loggers that are named after no module."""


def log_levels(name: str) -> LogLevels:
    """The levels in the value. Raises ImproperlyConfigured on an unknown level or module."""
    entries = words(name, ("info",))
    try:
        levels = read_levels(entries)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} cannot be read: {error}.") from None
    for module in (entry.rpartition("=")[0].strip() for entry in entries if "=" in entry):
        if not _is_module(module):
            raise ImproperlyConfigured(f"{name} names {module!r}, which is no module.")
    return levels


def _is_module(name: str) -> bool:
    """Whether there is one; of libraries the first name is looked for, since the others would import it."""
    first = name.partition(".")[0]
    if not first or name in OWN_LOGGERS:
        return name in OWN_LOGGERS
    if Path(BASE_DIR, first).is_dir():
        path = Path(BASE_DIR, *name.split("."))
        return path.is_dir() or path.with_suffix(".py").exists()
    return first.isidentifier() and find_spec(first) is not None
