"""What ./start status says of the metrics."""

import time

from devtools.stack.figures import Figures, behind, checked, wrong


def figures(text: str) -> Figures:
    return Figures.read(text)


def test_nothing_is_claimed_where_no_metric_is_known() -> None:
    assert list(behind(figures(""))) == []
    assert list(checked(figures(""))) == [
        "stock: not audited yet (manage.py audit_stock)",
        "dead letters: not known",
    ]
    assert list(wrong(figures(""))) == []


def test_a_system_in_order_has_nothing_wrong() -> None:
    found = figures(
        "stockbridge_relay_oldest_unread_seconds 0.25\n"
        "stockbridge_account_mails_waiting 0\n"
        "stockbridge_relay_leaders 1\n"
        "stockbridge_relay_parked_events 0\n"
        'stockbridge_dead_letters{group="orders-service-group"} 0\n'
        "stockbridge_stock_drift_pieces 0\n"
        f"stockbridge_stock_audit_timestamp_seconds {time.time() - 125}\n"
        'stockbridge_disk_free_bytes{disk="kafka"} 50\n'
        'stockbridge_disk_size_bytes{disk="kafka"} 100\n'
    )
    assert list(behind(found)) == ["relay: oldest unread event 0.2 s", "account mails: 0 waiting"]
    assert list(checked(found)) == [
        "stock: drift 0 at the last audit, 2 min 5 s ago",
        "dead letters: 0",
        "parked events: 0",
    ]
    assert list(wrong(found)) == []


def test_each_thing_that_needs_an_operator_is_a_sentence_with_the_command_that_shows_it() -> None:
    found = figures(
        "stockbridge_relay_oldest_unread_seconds 200\n"
        "stockbridge_relay_leaders 0\n"
        "stockbridge_relay_parked_events 2\n"
        'stockbridge_dead_letters{group="orders-service-group"} 0\n'
        'stockbridge_dead_letters{group="products-service-group"} 4\n'
        "stockbridge_stock_drift_pieces 3\n"
        "stockbridge_payment_differences 2\n"
        'stockbridge_disk_free_bytes{disk="kafka"} 5\n'
        'stockbridge_disk_size_bytes{disk="kafka"} 100\n'
    )
    assert list(wrong(found)) == [
        "no relay leads: nothing is published",
        "the relay has left an event unread for 3 min 20 s",
        "stock differs from the ledger by 3 pieces at the last audit: manage.py audit_stock",
        "payments: 2 differences to the gateway's books at the last audit: manage.py audit_payments",
        "4 dead letters of products-service-group wait for a decision: manage.py dead_letters list",
        "2 parked events wait for a decision: manage.py parked_events list",
        "the disk kafka is nearly full: 5% free",
    ]
    assert "dead letters: 4" in list(checked(found))
