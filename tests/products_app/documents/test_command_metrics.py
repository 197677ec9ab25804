"""How long MongoDB takes is observed by command, its connections are counted, and conflicts of writers."""

from prometheus_client import REGISTRY

from products_app import selectors
from products_app.documents.product import product_collection
from products_app.documents.transactions import WriteConflict, in_transaction


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"stockbridge_mongodb_{name}", labels) or 0


def test_commands_are_observed_by_their_names_and_strange_ones_together() -> None:
    before = value("command_seconds_count", command="find"), value("command_seconds_count", command="other")
    product_collection().find_one({})
    product_collection().database.command("buildInfo")
    after = value("command_seconds_count", command="find"), value("command_seconds_count", command="other")
    assert after == (before[0] + 1, before[1] + 1)


def test_connections_are_counted() -> None:
    selectors.ping()
    assert value("connections", state="open") >= 1
    assert value("connections", state="in_use") == 0


def test_a_transaction_that_is_repeated_is_counted() -> None:
    before = value("conflicts_total")
    attempts = iter([WriteConflict(), None])

    def work(_: object) -> None:
        if error := next(attempts):
            raise error

    in_transaction(work)
    assert value("conflicts_total") == before + 1
