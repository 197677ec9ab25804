"""The output of the processes: each in its own log file, all of them interleaved on the terminal."""

import itertools
import logging
import os
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

_LOG_BYTES = 20_000_000
_NAME_WIDTH = 11
# The beginning of the processes' own lines (foundation/console_line.py).
_OWN_LINE = re.compile(r"\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d\.\d{3}) (DEBUG|INFO |WARN |ERROR|FATAL) ")
_LEVEL_COLOURS = {"DEBUG": "2", "INFO ": "32", "WARN ": "33", "ERROR": "31", "FATAL": "1;31"}
_COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")


class Console(logging.StreamHandler[TextIO]):
    """Writes every line with its process before it; on a terminal in colour, and without the date."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self._is_terminal = sys.stdout.isatty()
        self._coloured = self._is_terminal and not os.environ.get("NO_COLOR")
        self._colours = itertools.cycle(_COLOURS)
        self._colour_of: dict[str, str] = {}

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"{record.name:{_NAME_WIDTH}} |"
        if self._coloured:
            if record.name not in self._colour_of:
                self._colour_of[record.name] = next(self._colours)
            prefix = f"\x1b[{self._colour_of[record.name]}m{prefix}\x1b[0m"
        return "\n".join(f"{prefix} {self._shown(line)}" for line in record.getMessage().splitlines())

    def _shown(self, line: str) -> str:
        return _OWN_LINE.sub(self._beginning, line, 1) if self._is_terminal else line

    def _beginning(self, found: re.Match[str]) -> str:
        time, level = found.groups()
        if not self._coloured:
            return f"{time} {level} "
        return f"\x1b[2m{time}\x1b[0m \x1b[{_LEVEL_COLOURS[level]}m{level}\x1b[0m "

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
