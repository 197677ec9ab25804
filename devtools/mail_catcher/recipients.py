"""Recipients that are refused on purpose; their names say how."""

import re
from collections import Counter
from dataclasses import dataclass

_NAME = re.compile(
    r"catcher-(?P<late>data-)?(?P<what>[45][0-9]{2}|lost-answer)(-(?P<times>[0-9]{1,4}))?(\+.*)?@.*"
)
_MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Refusal:
    """What happens to a mail for a recipient."""

    code: str
    """"": the answer is lost."""
    after_content: bool
    times: int | None
    """None: always."""


def refusal_for(recipient: str) -> Refusal | None:
    """What the name of this recipient asks for; None for an ordinary one."""
    found = _NAME.fullmatch(recipient.lower())
    if found is None:
        return None
    is_lost = found["what"] == "lost-answer"
    times = None if found["times"] is None else int(found["times"])
    return Refusal("" if is_lost else found["what"], bool(found["late"]) or is_lost, times)


class Refusals:
    """Counts how often each recipient was refused."""

    def __init__(self) -> None:
        self._refused = Counter[str]()

    def due(self, recipient: str, *, after_content: bool) -> Refusal | None:
        """The refusal that is due at this moment, which is counted."""
        refusal = refusal_for(recipient)
        if refusal is None or refusal.after_content is not after_content:
            return None
        if len(self._refused) > _MOST_COUNTED:
            self._refused.clear()
        self._refused[recipient] += 1
        return refusal if refusal.times is None or self._refused[recipient] <= refusal.times else None
