"""The normal form of user names: texts with the same normal form name the same user.

NFKC, without white space around it, and case folded. It can be longer than the text: a ligature becomes its
letters.
"""

import re
import unicodedata

MAX_NAME = 150
"""Characters of a user name, and of its normal form."""

# C0 and C1, and halves of surrogate pairs, which PostgreSQL does not store.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"


class UnsoundName(Exception):
    """A text that can be nobody's name; `code` is for programs, the text for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def shown_form(name: str) -> str:
    """The name as it is stored and shown: NFKC, without white space around it."""
    return unicodedata.normalize("NFKC", name).strip()


def normal_form(name: str) -> str:
    """The form in which names are compared and counted."""
    return shown_form(name).casefold()


def require_sound(name: str) -> None:
    """Raise UnsoundName where a name has control characters, or it or its normal form is too long."""
    # Before anything is normalised: a long text costs time.
    if len(name) > MAX_NAME:
        raise UnsoundName("max_length", f"A user name has at most {MAX_NAME} characters.")
    if len(normal_form(name)) > MAX_NAME:
        sentence = (
            f"This user name has more than {MAX_NAME} characters in its normal form (NFKC, case folded)."
        )
        raise UnsoundName("max_length", sentence)
    if _CONTROL.search(shown_form(name)):
        raise UnsoundName("invalid", "A user name has no control characters.")


def require_sound_new(name: str) -> None:
    """The same for a new name, in which nothing may be invisible. Raises UnsoundName."""
    require_sound(name)
    if any(is_invisible(character) for character in shown_form(name)):
        raise UnsoundName("invalid", "A user name has no invisible and no unknown characters.")


def is_invisible(character: str) -> bool:
    """Whether it is a control, a mark of formatting, an unassigned code point, or a letter that is blank."""
    return unicodedata.category(character).startswith("C") or character in _BLANK_LETTERS
