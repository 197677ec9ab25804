"""The output of the processes: each in its own log file, all of them interleaved on the terminal."""

import itertools
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

_LOG_BYTES = 20_000_000
_NAME_WIDTH = 11
_COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")


class Console(logging.StreamHandler[TextIO]):
    """Writes every line with the name of its process before it, in colour on a terminal."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._colours = itertools.cycle(_COLOURS)
        self._colour_of: dict[str, str] = {}

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"{record.name:{_NAME_WIDTH}} |"
        if self._coloured:
            if record.name not in self._colour_of:
                self._colour_of[record.name] = next(self._colours)
            prefix = f"\x1b[{self._colour_of[record.name]}m{prefix}\x1b[0m"
        return "\n".join(f"{prefix} {line}" for line in record.getMessage().splitlines())

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging names it)
        """Ignores a closed standard output, as in `./start | head`; the log files are still written."""


def open_log(path: Path, console: Console | None) -> logging.Logger:
    """The log of the process that the file is named after; its lines go to the console too."""
    log = logging.Logger(path.stem)
    log.addHandler(RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, delay=True))
    if console is not None:
        log.addHandler(console)
    return log


def close_log(log: logging.Logger) -> None:
    """Closes the file of the log; a later line opens it again."""
    for handler in log.handlers:
        if isinstance(handler, RotatingFileHandler):
            handler.close()
