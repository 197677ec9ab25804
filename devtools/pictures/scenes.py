"""What happens in the demo before its pictures are taken, beside the orders of the weeks before."""

from dataclasses import dataclass

from devtools.driver.shop import CREDIT_CARD, DEMO_PASSWORD, PAYMENT_FAILED, PROCESSING, SHIPPED, Caller, Shop


@dataclass
class Scene:
    """The shop, its customer alice, and what the paths of pictures name."""

    shop: Shop
    alice: Caller
    products: list[str]
    names: dict[str, str]

    def place_some(self, number: int) -> None:
        """Let alice place so many orders."""
        for index in range(number):
            self.alice.place((self.products[index % len(self.products)], 1 + index % 2))


def place_orders(shop: Shop) -> Scene:
    """Let alice place an order that is paid and shipped, and one of which the payment is declined."""
    alice = shop.log_in("alice", DEMO_PASSWORD)
    products = _products(shop)
    paid = alice.place(
        (products["KTC-004"], 1),
        (products["OFC-001"], 2),
        payment_method=CREDIT_CARD,
        payment_token="pm_card_visa",
    )
    alice.wait_for_status(paid["id"], PROCESSING)
    shop.staff.call("PATCH", f"orders/{paid['id']}/", json={"trackingNumber": "1Z4711082615"})
    shop.set_status(paid["id"], SHIPPED)
    declined = alice.place(
        (products["LMP-001"], 1), payment_method=CREDIT_CARD, payment_token="pm_card_chargeDeclined"
    )
    alice.wait_for_payment_status(declined["id"], PAYMENT_FAILED)
    names = {
        "product": products["LMP-001"],
        "shipped": paid["orderNumber"],
        "shipped_id": paid["id"],
        "declined": declined["orderNumber"],
    }
    return Scene(shop, alice, [products[sku] for sku in ("OFC-001", "LMP-004", "OUT-003", "HOM-003")], names)


def _products(shop: Shop) -> dict[str, str]:
    """The ids of the products by their SKUs."""
    found = shop.staff.call("GET", "products/?pageSize=100").json()["results"]
    return {product["sku"]: product["id"] for product in found}
