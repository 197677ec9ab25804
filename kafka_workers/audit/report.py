"""The report of an audit."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, field

Kind = Literal["product", "ledger", "order"]


class Difference(Struct, rename="camel"):
    """A fact that is wrong, how to repair it, and what `--repair` has done about it."""

    kind: Kind
    id: str
    fact: str
    advice: str = field(name="mend")
    repaired: str = field(default="", name="mended")

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.fact}. {self.repaired or self.advice}"


class AuditReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much was compared, and what differs. `waiting_for` says why `in_flight` orders were not judged.

    `without_stock` has the orders that staff shipped without their stock, which is no difference.
    `uncounted` has the products that other programs wrote and of which nothing was reserved yet, `unrecorded`
    those whose movements are not recorded yet; neither is a difference.
    `drift_pieces` is by how many pieces stock and ledger differ at the end, over all products.
    """

    products: int
    entries: int
    orders: int
    without_stock: Sequence[str]
    in_flight: int
    waiting_for: str
    uncounted: Sequence[str]
    unrecorded: Sequence[str]
    drift_pieces: int
    differences: Sequence[Difference]

    @property
    def unrepaired(self) -> int:
        """How many differences are not repaired."""
        return sum(not difference.repaired for difference in self.differences)
