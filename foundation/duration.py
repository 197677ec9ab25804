"""Durations, as an operator reads them on a terminal."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def duration_in_words(seconds: float) -> str:
    """A duration in its two largest units, such as `3 min 20 s`."""
    whole = int(seconds)
    if whole >= _DAY:
        return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
    if whole >= _HOUR:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _MINUTE} min {whole % _MINUTE} s" if whole >= _MINUTE else f"{whole} s"
