"""The pictures: which page, of whom, how wide, and light or dark."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from devtools.pictures.scenes import Scene

_PHONE = 390
_CUSTOMER, _STAFF, _ADMINISTRATOR = "alice", "sam", "admin"


@dataclass(frozen=True)
class Shot:
    """One picture; `before` does what is left to do on the page that is open."""

    name: str
    path: str
    person: str = ""
    width: int = 1280
    height: int = 800
    is_dark: bool = False
    language: str = "en-US"
    before: Callable[[Page, Scene], None] | None = None


def _fill_cart(page: Page, scene: Scene) -> None:
    for product in scene.products[:2]:
        page.goto(f"/products/{product}/")
        page.get_by_role("button", name="Add to cart").click()
    page.goto("/checkout/")


def _let_orders_stream(page: Page, scene: Scene) -> None:
    scene.place_some(12)
    page.wait_for_timeout(1500)  # until they are settled and painted


def _wait_for_docs(page: Page, _: Scene) -> None:
    page.wait_for_selector(".opblock")


SHOTS = (
    Shot("shop", "/"),
    Shot("shop-phone", "/", width=_PHONE, height=844, is_dark=True),
    Shot("product", "/products/{product}/"),
    Shot("checkout", "/checkout/", _CUSTOMER, height=1000, before=_fill_cart),
    Shot("orders", "/orders/", _CUSTOMER),
    Shot("order", "/orders/{shipped}/", _CUSTOMER, height=1000),
    Shot("order-phone", "/orders/{declined}/", _CUSTOMER, width=_PHONE, height=844, is_dark=True),
    Shot("order-german", "/orders/{shipped}/", _CUSTOMER, width=_PHONE, height=844, language="de-DE"),
    Shot("board", "/board/", _STAFF, is_dark=True, before=_let_orders_stream),
    Shot("proof", "/board/proof/", _STAFF),
    Shot("insights", "/insights/", _STAFF, height=1400),
    Shot("admin", "/admin/", _ADMINISTRATOR),
    Shot("admin-orders", "/admin/orders_app/order/", _ADMINISTRATOR),
    Shot("admin-order", "/admin/orders_app/order/{shipped_id}/change/", _ADMINISTRATOR, height=1200),
    Shot("admin-stock", "/admin/products_app/product/", _ADMINISTRATOR),
    Shot("api-docs", "/api/docs/", before=_wait_for_docs),
)
