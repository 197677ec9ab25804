"""What customers are told by mail, from placing to delivery, as it arrives at a mail server."""

from devtools.driver.inbox import Inbox
from devtools.driver.shop import DELIVERED, PROCESSING, SHIPPED, Shop
from devtools.stack.stack import Stack


def test_each_step_of_an_order_is_told_by_one_mail(shop: Shop, inbox: Inbox, stack: Stack) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order = alice.place((product, 1))
    alice.wait_for_status(order["id"], PROCESSING)
    tracking = shop.staff.call("PATCH", f"orders/{order['id']}/", json={"trackingNumber": "TRACK-77"})
    assert tracking.status_code == 200, tracking.text
    for status in (SHIPPED, DELIVERED):
        assert shop.set_status(order["id"], status).status_code == 200
    mails = inbox.wait_for(order["id"], count=4)[::-1]
    assert [mail.event for mail in mails] == [f"{order['id']}:{version}" for version in (1, 3, 5, 7)]
    assert all(mail.subject.startswith(order["orderNumber"]) for mail in mails)
    assert len({mail.headers["Message-ID"] for mail in mails}) == 4
    assert len({mail.recipients for mail in mails}) == 1
    shipped = inbox.content(mails[2])
    for form in ("text", "html"):
        assert "TRACK-77" in shipped[form]
        assert f"{stack.env['PUBLIC_URL']}/orders/{order['orderNumber']}/" in shipped[form]


def test_an_order_without_enough_stock_is_told_by_mail_with_the_reason(shop: Shop, inbox: Inbox) -> None:
    scarce, alice = shop.new_product(stock=1, name="Rare lantern"), shop.new_customer()
    order = alice.place((scarce, 2))
    cancelled, placed = inbox.wait_for(order["id"], count=2)
    assert (placed.event, cancelled.event) == (f"{order['id']}:1", f"{order['id']}:3")
    assert "Rare lantern" in inbox.content(cancelled)["text"]


def test_a_customer_who_has_switched_mail_off_gets_none_about_the_order(shop: Shop, inbox: Inbox) -> None:
    product, alice, bob = shop.new_product(stock=5), shop.new_customer(), shop.new_customer()
    assert alice.call("PATCH", "auth/me/", json={"mailNotifications": False}).status_code == 200
    silent = alice.place((product, 1))
    alice.wait_for_status(silent["id"], PROCESSING)
    told = bob.place((product, 1))
    inbox.wait_for(told["id"], count=2)
    assert inbox.mails(silent["id"]) == []
