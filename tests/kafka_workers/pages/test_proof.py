"""The proof page, as the server makes it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from kafka_workers.audit.look import take_look
from kafka_workers.models import LastAudit, StockLook
from kafka_workers.pages import proof
from products_app.services.stock.service import settle
from tests.products_app.product_stock import new_order, reserve, spoil, stocked

pytestmark = pytest.mark.usefixtures("clean_catalogue")


class LooksOfNow:
    """A look for each page."""

    def last(self, wait: float) -> StockLook | None:
        take_look()
        return StockLook.objects.first()


class OldLooks:
    """The look of ten minutes ago, if there is one."""

    def last(self, wait: float) -> StockLook | None:
        StockLook.objects.update(looked_at=timezone.now() - timedelta(minutes=10))
        return StockLook.objects.first()


@pytest.fixture(autouse=True)
def _each_page_takes_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "looks_for_proof", LooksOfNow())


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def shown(staff: Client, query: str = "") -> str:
    answer = staff.get(f"/board/proof/{query}")
    assert answer.status_code == 200
    return text_of(answer.content.decode())


@pytest.mark.parametrize("path", ["/board/proof/", "/board/proof/figures/"])
def test_the_proof_is_for_staff(path: str, staff: Client, customer: Client) -> None:
    assert Client().get(path)["Location"] == f"/login/?next={path}"
    assert customer.get(path).status_code == 403
    assert staff.get(path).status_code == 200


def test_the_proof_shows_of_each_product_what_was_received_is_held_and_in_stock(staff: Client) -> None:
    lantern = stocked(1200)
    settle([reserve(new_order(), (lantern, 3))])
    text = shown(staff)
    assert "Lantern 1,200 3 1,197 0" in text
    assert "Received 1,200 Held by orders 3 In stock 1,197 Drift 0 Orders in flight 0" in text
    assert "Time of the look:" in text
    assert "1 products and 1 ledger entries were compared" in text


def test_a_drift_is_shown_with_its_sign_and_what_to_do(staff: Client) -> None:
    spoil(stocked(10), stock=12)
    text = shown(staff)
    assert "Lantern 10 0 12 +2" in text
    assert "manage.py audit_stock names each difference" in text


def test_the_script_gets_the_same_with_the_search_of_the_page(staff: Client) -> None:
    stocked(10)
    stocked(10, name="Tent")
    answer = staff.get("/board/proof/figures/?q=tent")
    text = text_of(answer.json()["panels"]["proof"])
    assert "Tent 10 0 10 0" in text
    assert "Lantern" not in text


def test_before_the_first_look_the_page_says_that_it_is_taken(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "looks_for_proof", OldLooks())
    assert "Nothing has been looked at yet" in shown(staff)


def test_products_are_found_by_name_or_id(staff: Client) -> None:
    lantern = stocked(10)
    stocked(10, name="Tent")
    assert "Tent" not in shown(staff, f"?q={lantern}")
    assert "No product has this name" in shown(staff, "?q=axe")


def test_many_products_are_shown_by_pages(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "PRODUCTS_ON_A_PAGE", 1)
    stocked(10)
    stocked(10, name="Tent")
    assert "Tent" not in shown(staff)
    assert "Tent" in shown(staff, "?page=2")


def test_a_look_that_is_old_is_said_to_be(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "A later look could not be taken" not in shown(staff)
    monkeypatch.setattr(proof, "looks_for_proof", OldLooks())
    assert "A later look could not be taken" in shown(staff)


def test_the_last_complete_audit_is_told(staff: Client) -> None:
    LastAudit.objects.create(drift_pieces=4)
    assert re.search(
        r"The last complete audit \(audit_stock\) was at .* and left a drift of 4\.", shown(staff)
    )
