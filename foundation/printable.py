"""Text of strangers, as it may be shown: without characters that steer a terminal, and not too long."""

import re

_UNPRINTABLE = re.compile(r"[^\n -~]")


def printable(text: str) -> str:
    """The text on one line, each character that is not printable as Python would write it."""
    return text if text.isprintable() else "".join(map(_escape, text))


def printable_lines(text: str) -> str:
    """The same for each line of the text."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    """The same for a JSON text, which stays the same JSON."""
    if text.isascii() and "\x7f" not in text:  # JSON itself escapes all other ASCII that is not printable
        return text
    return text if text.isprintable() else _UNPRINTABLE.sub(lambda found: _escape_json(found[0]), text)


def shortened(text: str, characters: int) -> str:
    """Of a long text its beginning, and a mark that something is missing."""
    return text if len(text) <= characters else f"{text[:characters]}…"


def _escape(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _escape_json(character: str) -> str:
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
