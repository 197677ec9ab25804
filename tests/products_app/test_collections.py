import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone
from pymongo.errors import WriteError

from products_app.documents.ledger import EXTERNAL_HOLDS, ledger_collection
from products_app.documents.product import product_collection
from products_app.models import ROTATION_OVERLAP, ServiceKey
from products_app.services.stock import earlier_receipts
from products_app.services.stock.earlier_receipts import record_earlier_receipts
from products_app.services.stock.service import Release, settle
from products_app.services.stock.stock_work import receive_stock
from tests.concurrency import run_together
from tests.products_app.foreign_documents import document
from tests.products_app.lines import reserve_line
from tests.products_app.product_stock import (
    KEY,
    assert_conserved,
    movements_of,
    new_order,
    planted,
    reserve,
    stock_of,
    stocked,
    unrecord,
)


def test_creating_the_collections_again_changes_nothing() -> None:
    before = product_collection().index_information()
    call_command("create_collections", verbosity=0)
    assert product_collection().index_information() == before
    assert {"searchWords_1", "name_as_people_sort", "sku_1"} < set(before)


def test_indexes_of_earlier_versions_are_dropped_and_those_of_others_stay() -> None:
    product_collection().create_index([("name", "text")], name="search")
    product_collection().create_index("price")
    product_collection().create_index("colour")
    call_command("create_collections", verbosity=0)
    names = set(product_collection().index_information())
    assert "colour_1" in names
    assert not {"search", "price_1"} & names
    product_collection().drop_index("colour_1")


def test_a_listed_product_of_an_earlier_version_is_found_after_the_collections_are_created() -> None:
    product_collection().insert_many(document({"name": f"Kettle {number}"}) for number in range(1_500))
    call_command("create_collections", verbosity=0)
    assert product_collection().count_documents({"searchWords": "kettle"}) == 1_500


def test_a_missing_validator_is_created_again() -> None:
    product_collection().database.command("collMod", "products", validator={})
    call_command("create_collections", verbosity=0)
    with pytest.raises(WriteError):
        product_collection().insert_one({"name": "Kettle", "price": 1, "stock": -1})


def test_what_products_of_an_earlier_version_received_becomes_their_first_movement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lamp, rope, bell = stocked(10), stocked(3), planted(stock=4)
    settle([reserve("order", (lamp, 4))])
    receive_stock(product_id=rope, quantity=2, reason="Delivery", actor="staff:1")
    unrecord(lamp)
    monkeypatch.setattr(earlier_receipts, "AT_ONCE", 1)
    for _ in range(2):
        call_command("create_collections", verbosity=0)
    [movement] = movements_of(lamp)
    assert (movement["kind"], movement["quantity"], movement["received"]) == ("initial", 10, 10)
    assert (movement["stockBefore"], movement["stock"]) == (6, 6)
    assert [each["quantity"] for each in movements_of(rope)] == [3, 2]
    assert movements_of(bell) == []
    assert_conserved()


def test_an_earlier_receipt_is_recorded_once_beside_sales_and_another_start() -> None:
    products = [stocked(100) for _ in range(5)]
    unrecord(*products)

    def sell() -> None:
        for _ in range(20):
            settle([reserve(new_order(), *((each, 1) for each in products))])

    run_together(sell, record_earlier_receipts, record_earlier_receipts)
    assert [stock_of(each) for each in products] == [80] * 5
    assert all(len(movements_of(each)) == 1 for each in products)
    assert_conserved()


def test_a_product_whose_counts_cannot_be_read_is_left_as_it_is() -> None:
    kettle = planted(stock="five", received=5)
    assert record_earlier_receipts() == 1
    assert movements_of(kettle) == []


def test_orders_of_external_services_from_before_are_marked_once() -> None:
    lamp, ours = stocked(20), "0198c2d4-9f00-7000-8000-000000000001"
    settle([reserve(ours, (lamp, 1)), reserve("external-1", (lamp, 2)), reserve("external-2", (lamp, 2))])
    settle([Release("external-2")])
    reserve_line(order_id=f"{ours[:-1]}2", product_id=lamp, quantity=3, key=KEY)
    ledger_collection().update_many({}, {"$unset": {"externalHolds": 1}})
    ledger_collection().insert_one({"_id": "bad", "lines": 5})  # type: ignore[arg-type]
    ledger_collection().drop_index(EXTERNAL_HOLDS)
    call_command("create_collections", verbosity=0)
    held = {each["_id"]: each.get("externalHolds") for each in ledger_collection().find()}
    assert held == {
        ours: None,
        "external-1": [lamp],
        "external-2": [],
        f"{ours[:-1]}2": [lamp],
        "bad": None,
    }


@pytest.mark.parametrize("stock", [-1, 1.5, "2", None])
def test_the_collection_itself_refuses_an_invalid_stock(stock: object) -> None:
    with pytest.raises(WriteError):
        product_collection().insert_one({"name": "Kettle", "price": 1, "stock": stock})
    assert product_collection().count_documents({}) == 0


@pytest.mark.django_db
def test_the_key_of_the_environment_is_valid_and_its_predecessor_for_one_more_day() -> None:
    _, other = ServiceKey.issue(name="shop")
    former = settings.SERVICE_API_KEY
    call_command("register_service_key", verbosity=0)
    assert ServiceKey.objects.is_valid(former)
    with override_settings(SERVICE_API_KEY="newprefi." + "s" * 32):
        for _ in range(2):
            call_command("register_service_key", verbosity=0)
            assert ServiceKey.objects.is_valid(settings.SERVICE_API_KEY)
    assert ServiceKey.objects.is_valid(former)
    with time_machine.travel(timezone.now() + ROTATION_OVERLAP):
        assert not ServiceKey.objects.is_valid(former)
        assert ServiceKey.objects.is_valid("newprefi." + "s" * 32)
        assert ServiceKey.objects.is_valid(other)


@pytest.mark.django_db
def test_a_key_of_the_environment_that_comes_back_does_not_end() -> None:
    call_command("register_service_key", verbosity=0)
    with override_settings(SERVICE_API_KEY="newprefi." + "s" * 32):
        call_command("register_service_key", verbosity=0)
    call_command("register_service_key", verbosity=0)
    with time_machine.travel(timezone.now() + ROTATION_OVERLAP):
        assert ServiceKey.objects.is_valid(settings.SERVICE_API_KEY)


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "short.secret", "12345678.", "12345678"])
def test_a_key_without_the_right_form_is_not_registered(key: str) -> None:
    with override_settings(SERVICE_API_KEY=key), pytest.raises(CommandError, match="SERVICE_API_KEY"):
        call_command("register_service_key")
    assert not ServiceKey.objects.exists()


@pytest.mark.django_db
def test_a_revoked_key_stays_revoked() -> None:
    call_command("register_service_key", verbosity=0)
    ServiceKey.objects.update(revoked=True)
    with pytest.raises(CommandError, match="revoked"):
        call_command("register_service_key")
    assert not ServiceKey.objects.is_valid(settings.SERVICE_API_KEY)
