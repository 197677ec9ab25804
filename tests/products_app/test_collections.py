import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from pymongo.errors import WriteError

from products_app.documents.product import product_collection
from products_app.models import ServiceKey
from tests.products_app.foreign_documents import document


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


@pytest.mark.parametrize("stock", [-1, 1.5, "2", None])
def test_the_collection_itself_refuses_an_invalid_stock(stock: object) -> None:
    with pytest.raises(WriteError):
        product_collection().insert_one({"name": "Kettle", "price": 1, "stock": stock})
    assert product_collection().count_documents({}) == 0


@pytest.mark.django_db
def test_the_key_of_the_environment_is_valid_and_its_predecessor_is_not() -> None:
    _, other = ServiceKey.issue(name="shop")
    former = settings.SERVICE_API_KEY
    call_command("register_service_key", verbosity=0)
    assert ServiceKey.objects.is_valid(former)
    with override_settings(SERVICE_API_KEY="newprefi." + "s" * 32):
        for _ in range(2):
            call_command("register_service_key", verbosity=0)
            assert ServiceKey.objects.is_valid(settings.SERVICE_API_KEY)
    assert not ServiceKey.objects.is_valid(former)
    assert ServiceKey.objects.is_valid(other)


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
