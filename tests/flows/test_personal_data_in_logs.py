"""Log lines name people by their ids alone.

Names, addresses and tokens are sent through every door of the running system; then its logs are searched.
"""

import re
from collections.abc import Iterator
from contextlib import suppress

import httpx
import psycopg
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from devtools.driver.inbox import Inbox
from devtools.driver.shop import CREDIT_CARD, PAID, PROCESSING, Shop, eventually
from devtools.stack.stack import Stack

PLANTED = {
    "user name": "zz-planted-user",
    "first name": "Zzfirst",
    "last name": "Zzlast",
    "password": "kestrel-Harbour-71",
    "wrong password": "osprey-Harbour-72",
    "street": "99 Zzstreet",
    "city": "Zztown",
    "postal code": "ZZ9 9ZZ",
    "payment token": "pm_sandbox_slow_1.973",
    "forged token": "zz.planted.token",
    "link": "zz-planted-link",
    "monitor token": "zz-planted-monitor-token",
    "idempotency key": "zz-planted-key",
    "search": "zz-planted-search",
}
MAIL = "zzplanted@zz-mail.example.com"
NEW_MAIL = "catcher-550+zzplanted@zz-mail.example.com"
ADDRESS = {
    "street": PLANTED["street"],
    "city": PLANTED["city"],
    "state": "MA",
    "zipCode": PLANTED["postal code"],
    "country": "US",
}
ACCOUNT = {"username": PLANTED["user name"], "email": MAIL, "password": PLANTED["password"]}
SERVERS_OF_OTHERS = {"sandbox", "catcher"}
"""The payment gateway and the mail server of a demo; an installation has those of others."""


@pytest.fixture(scope="module")
def tokens(stack: Stack, shop: Shop, inbox: Inbox) -> list[str]:
    """Everything is said at every door; returns the tokens that were issued meanwhile."""
    with httpx.Client(base_url=stack.urls["web"], timeout=30) as door:
        issued = list(use_the_api(door, shop, inbox))
        knock_at_wrong_doors(door, issued)
        use_pages(door)
    open_a_socket(stack, issued[0])
    provoke_errors(stack)
    return issued


def use_the_api(door: httpx.Client, shop: Shop, inbox: Inbox) -> Iterator[str]:
    answer = door.post("/api/v1/auth/register/", json=ACCOUNT)
    assert answer.status_code == 201, answer.text
    registered = answer.json()
    yield registered["access"]
    yield registered["refresh"]
    door.post("/api/v1/auth/token/", json={**ACCOUNT, "username": MAIL})
    signed_in = door.post("/api/v1/auth/token/", json=ACCOUNT)
    assert signed_in.status_code == 200, signed_in.text
    yield signed_in.json()["access"]
    own = {"Authorization": f"Bearer {registered['access']}"}
    names = {"firstName": PLANTED["first name"], "lastName": PLANTED["last name"]}
    assert door.patch("/api/v1/auth/me/", json=names, headers=own).status_code == 200
    order = {
        "items": [{"productId": shop.new_product(stock=5), "quantity": 1}],
        "shippingAddress": ADDRESS,
        "paymentMethod": CREDIT_CARD,
        "paymentToken": PLANTED["payment token"],
    }
    key = {"Idempotency-Key": PLANTED["idempotency key"]}
    placed = door.post("/api/v1/orders/", json=order, headers=own | key)
    assert placed.status_code == 201, placed.text
    path = f"/api/v1/orders/{placed.json()['id']}/"
    eventually(lambda: door.get(path, headers=own).json()["paymentStatus"] == PAID, "the order is paid", 60)
    eventually(lambda: door.get(path, headers=own).json()["status"] == PROCESSING, "it is confirmed", 60)
    inbox.wait_for(placed.json()["id"], count=2)
    # Mails to this address are refused, with an answer that names it.
    assert door.patch("/api/v1/auth/me/", json={"email": NEW_MAIL}, headers=own).status_code < 300
    door.post("/api/v1/auth/password/reset/", json={"email": MAIL})
    for wrong in (
        {"street": PLANTED["street"] * 99},
        {"zipCode": [PLANTED["postal code"]]},
        {"city": "\0Zztown"},
    ):
        door.post("/api/v1/orders/", json=order | {"shippingAddress": ADDRESS | wrong}, headers=own)


def knock_at_wrong_doors(door: httpx.Client, issued: list[str]) -> None:
    wrong = {**ACCOUNT, "password": PLANTED["wrong password"]}
    for path in ("auth/token/", "auth/register/", "auth/password/reset/confirm/", "auth/email/confirm/"):
        door.post(f"/api/v1/{path}", json=wrong | {"token": PLANTED["link"]})
        door.post(f"/api/v1/{path}", content=f'{{"email": "{MAIL}", "username": '.encode())
    door.post("/api/v1/auth/token/refresh/", json={"refresh": PLANTED["forged token"]})
    for credentials in (f"Bearer {PLANTED['forged token']}", f"Api-Key {PLANTED['forged token']}"):
        for path in ("/api/v1/orders/", "/metrics", "/api/v1/products/665f1f77bcf86cd799439011/reserve/"):
            door.request("POST" if "reserve" in path else "GET", path, headers={"Authorization": credentials})
    door.get("/metrics", headers={"Authorization": f"Bearer {PLANTED['monitor token']}"})
    door.get("/api/v1/orders/", params={"search": PLANTED["search"], "token": issued[0]})
    door.get(f"/mail/unsubscribe/{PLANTED['link']}/")
    door.post(f"/mail/unsubscribe/7:{PLANTED['link']}/")
    door.get(f"/api/v1/users/{MAIL}/")
    for page in ("/account/password/reset/", "/account/email/confirm/"):
        door.get(page, params={"token": PLANTED["link"]})


def use_pages(door: httpx.Client) -> None:
    for page in ("/login/", "/register/", "/admin/login/"):
        form = door.get(page)
        [csrf] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)[:1] or [""]
        for password in (PLANTED["wrong password"], PLANTED["password"]):
            door.post(page, data={**ACCOUNT, "password": password, "csrfmiddlewaretoken": csrf})


def open_a_socket(stack: Stack, token: str) -> None:
    """A forged token in a message, and a right one in the address, where none is looked for."""
    for query in ("", f"?token={token}"):
        # The server ends the connection, at whichever step of ours.
        with suppress(WebSocketException, OSError), connect(stack.urls["sockets"] + query) as socket:
            socket.send(f'{{"type": "authenticate", "token": "{PLANTED["forged token"]}"}}')
            socket.recv(timeout=10)


def provoke_errors(stack: Stack) -> None:
    """Errors of the database have texts with what was sent."""
    with psycopg.connect(stack.env["DATABASE_URL"]) as database, pytest.raises(psycopg.Error):
        database.execute(
            "INSERT INTO auth_user (username, email) VALUES (%s, %s)", [PLANTED["user name"], MAIL]
        )


def logs_of(stack: Stack) -> dict[str, str]:
    return {
        path.stem: path.read_text(errors="replace")
        for path in stack.settings.logs.glob("*.log*")
        if path.stem not in SERVERS_OF_OTHERS
    }


def test_no_log_of_any_process_names_a_person_or_shows_a_token(stack: Stack, tokens: list[str]) -> None:
    logs = logs_of(stack)
    assert {"web", "order", "payment", "email", "relay"} <= logs.keys()
    assert re.search(r" POST /api/v1/orders/ 201 .* order_number=SB-", logs["web"])
    secrets = PLANTED | {"mail address": MAIL, "new mail address": NEW_MAIL}
    secrets |= {f"issued token {number}": token for number, token in enumerate(tokens)}
    shown = {(log, name) for log, text in logs.items() for name, secret in secrets.items() if secret in text}
    assert shown == set()


@pytest.mark.usefixtures("tokens")
def test_the_lines_name_the_person_by_an_id(stack: Stack) -> None:
    assert re.search(r" PATCH /api/v1/auth/me/ 200 .* user=\d+ ", logs_of(stack)["web"])
