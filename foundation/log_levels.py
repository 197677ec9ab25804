"""From which level on the loggers of a process write lines: one level for all, others for single modules."""

import logging
from collections.abc import Mapping, Sequence

from msgspec import Struct

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
# Loggers of libraries whose lines say what ours say already, or concern nobody.
QUIET = {
    "axes": logging.WARNING,
    "daphne": logging.WARNING,
    "django.request": logging.ERROR,
    "httpx2": logging.WARNING,
    "librdkafka": logging.WARNING,
    "opentelemetry": logging.CRITICAL,
}


class LogLevels(Struct, frozen=True):
    """The level of all loggers, and the levels of single modules, which their submodules share."""

    general: int
    of_modules: Mapping[str, int]

    def level_of(self, logger: str) -> int:
        """The level from which on this logger writes lines."""
        while logger not in self.of_modules:
            logger, dot, _ = logger.rpartition(".")
            if not dot:
                return self.general
        return self.of_modules[logger]


def read_levels(words: Sequence[str]) -> LogLevels:
    """The levels in words such as `info` and `orders_app.mail=debug`. Raises ValueError with the reason."""
    general, of_modules = logging.INFO, dict(QUIET)
    for word in words:
        module, has_module, level = (part.strip() for part in word.rpartition("="))
        if level.lower() not in LEVELS:
            raise ValueError(f"{level!r} is no level: there are {', '.join(LEVELS)}")
        if has_module:
            of_modules[module] = LEVELS[level.lower()]
        else:
            general = LEVELS[level.lower()]
    return LogLevels(general, of_modules)
