"""How often something may be done."""

import re

from msgspec import Struct

PERIODS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}

_RATE = re.compile(rf"([1-9][0-9]{{0,8}})/({'|'.join(PERIODS)})")


class Rate(Struct, frozen=True):
    """At most `limit` times in a period of so many seconds."""

    limit: int
    seconds: int


def read_rate(text: str) -> Rate:
    """The rate in a text such as `30/minute`. Raises ValueError where it has none."""
    found = _RATE.fullmatch(text)
    if not found:
        raise ValueError(text)
    return Rate(int(found[1]), PERIODS[found[2]])
