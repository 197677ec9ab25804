"""The bases of refusals and of outages, for all apps; `web/errors.py` answers both over HTTP."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, ClassVar


class Kind(Enum):
    """Why a request is refused, in general."""

    INVALID = auto()
    UNAUTHENTICATED = auto()
    NOT_FOUND = auto()
    CONFLICT = auto()
    PRECONDITION = auto()
    UNPROCESSABLE = auto()


class Refusal(Exception):
    """A request that a rule turns down; nothing has changed. `code` is for programs, the text for people."""

    code: ClassVar[str]
    kind: ClassVar[Kind]

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a program can act on besides the code, by its name in JSON."""
        return {}


class Unavailable(Exception):
    """A dependency cannot be reached; trying later is safe.

    `code` and `sentence` are for callers; the exception's own text may name hosts and is for the log.
    """

    code: ClassVar[str]
    sentence: ClassVar[str]
