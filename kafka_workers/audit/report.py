"""What an audit found."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Kind = Literal["product", "ledger", "order"]


class Difference(Struct, rename="camel"):
    """Something that does not agree; `mend` says how to put it right, `mended` what `--repair` has done."""

    kind: Kind
    id: str
    fact: str
    mend: str
    mended: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.fact}. {self.mended or self.mend}"


class AuditReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """All that was looked at. `in_flight` orders have messages under way, for the reason in `waiting_for`.

    `drift_pieces` is what stock and ledger differ by at the end, over all products.
    """

    products: int
    entries: int
    orders: int
    in_flight: int
    waiting_for: str
    uncounted: Sequence[str]
    drift_pieces: int
    differences: Sequence[Difference]

    @property
    def unmended(self) -> int:
        """How many differences are left."""
        return sum(not difference.mended for difference in self.differences)
