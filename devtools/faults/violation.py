"""What a law finds."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from devtools.faults.evidence import Evidence

Kind = Literal["lost", "drift"]


class Violation(NamedTuple):
    """One order or product that breaks a law; an empty subject is the system as a whole."""

    kind: Kind
    subject: str
    fact: str


Law = Callable[[Evidence], Iterator[Violation]]
