"""The books of the payment gateway, read over its API as the owner of the account can."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

_PAGE = 100


@dataclass
class Payment:
    """One payment at the gateway, with the refunds that did not fail; amounts in minor units."""

    payment_id: str
    order_id: str
    attempt: str
    status: str
    received: int
    currency: str
    refunds: list[int] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """What was taken and has not gone back."""
        return self.received - sum(self.refunds)


class GatewayBooks:
    """What a gateway that speaks Stripe's API has in its books."""

    def __init__(self, address: str, secret_key: str) -> None:
        self._http = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {secret_key}"}, timeout=15
        )

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def payments(self, since: float = 0) -> list[Payment]:
        """The payments since a Unix time, with the refunds of these, newest first."""
        found = {each["id"]: _payment(each) for each in self._pages("/v1/payment_intents", since)}
        for refund in self._pages("/v1/refunds", since):
            if refund["payment_intent"] in found and refund["status"] != "failed":
                found[refund["payment_intent"]].refunds.append(refund["amount"])
        return list(found.values())

    def of_order(self, order_id: str) -> list[Payment]:
        """The payments whose metadata names this order."""
        return [payment for payment in self.payments() if payment.order_id == order_id]

    def _pages(self, path: str, since: float) -> Iterator[dict[str, Any]]:
        after: dict[str, str] = {}
        while True:
            answer = self._http.get(path, params={"limit": _PAGE, "created[gte]": int(since), **after})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            yield from page["data"]
            if not page["has_more"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}


def _payment(intent: dict[str, Any]) -> Payment:
    metadata = intent["metadata"]
    return Payment(
        payment_id=intent["id"],
        order_id=metadata.get("order_id", ""),
        attempt=metadata.get("attempt", ""),
        status=intent["status"],
        received=intent["amount_received"],
        currency=intent["currency"],
    )
