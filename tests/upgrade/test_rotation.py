"""Secrets are replaced while customers order, without one failed request (docs/rotation.md)."""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from django.core.signing import Signer

from devtools.driver.shop import DEMO_PASSWORD, Shop, eventually
from devtools.reverse_proxy import ReverseProxy
from devtools.stack.mongo import MongoServer
from devtools.stack.postgres import PostgresServer
from devtools.stack.stack import Stack
from tests.deploy.behind_nginx import Process
from tests.deploy.load import Load, under_load
from tests.orders_app.payments.webhooks.gateway_events import event, signature

pytestmark = [pytest.mark.upgrade, pytest.mark.timeout(500)]

Environment = dict[str, str]
CLAIMED = "192.0.2.9"
OLD, NEW = "old", "new"
LOGIN = {OLD: "shop_blue", NEW: "shop_green"}
"""Two users of each database, of which one is in use."""


def _secrets_of(stack: Stack) -> dict[str, dict[str, str]]:
    """By setting, its old and its new value."""
    return {
        "SECRET_KEY": {OLD: stack.env["SECRET_KEY"], NEW: secrets.token_urlsafe(50)},
        "STRIPE_WEBHOOK_SECRET": {
            OLD: stack.env["STRIPE_WEBHOOK_SECRET"],
            NEW: "whsec_" + secrets.token_hex(20),
        },
        "MONITOR_TOKEN": {OLD: secrets.token_urlsafe(40), NEW: secrets.token_urlsafe(40)},
    }


class Installation:
    """Two web processes behind nginx, which are replaced one after the other."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.secrets = _secrets_of(stack)
        self._env = stack.env | {"TRUSTED_PROXIES": "1", "MONITOR_ADDRESSES": CLAIMED}
        self._webs = [Process.web(self._env | self.settings(OLD)) for _ in range(2)]
        self.proxy = ReverseProxy(folder, web=[web.port for web in self._webs], sockets=[1])

    def settings(self, used: str, fallback: str = "", login: str = OLD) -> Environment:
        """The settings with the old or new secrets, the others beside them, and a user of the databases."""
        found = {name: values[used] for name, values in self.secrets.items()}
        if fallback:
            found |= {f"{name}_FALLBACKS": values[fallback] for name, values in self.secrets.items()}
        return found | {
            name: self._as_user(self.stack.env[name], login) for name in ("DATABASE_URL", "MONGODB_URI")
        }

    def _as_user(self, url: str, login: str) -> str:
        host = urlsplit(url).netloc.rpartition("@")[2]
        return urlsplit(url)._replace(netloc=f"{LOGIN[login]}:{LOGIN[login]}-password@{host}").geturl()

    def replace_webs(self, settings: Environment, between: Callable[[], None] = lambda: None) -> None:
        """Each in turn; `between` is called before, between and after."""
        for number, web in enumerate(self._webs):
            between()
            web.stop()
            self._webs[number] = Process.web(self._env | settings, web.port)
        between()

    def stop(self) -> None:
        for web in self._webs:
            web.stop()


def await_orders(load: Load) -> None:
    before = load.placed
    eventually(lambda: load.failures or load.placed > before + 20, "orders are placed", 60)


@pytest.fixture(scope="module")
def databases(stack: Stack) -> tuple[PostgresServer, MongoServer]:
    """With two users each, of the same rights."""
    postgres = cast("PostgresServer", stack.servers["postgres"])
    mongodb = cast("MongoServer", stack.servers["mongodb"])
    rights = [{"role": role, "db": mongodb.database} for role in ("readWrite", "dbAdmin")]
    with psycopg.connect(postgres.url, autocommit=True) as connection, mongodb.as_member() as client:
        for user in LOGIN.values():
            connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{user}-password' IN ROLE postgres")
            connection.execute(f"ALTER ROLE {user} SET role = 'postgres'")
            client.admin.command("createUser", user, pwd=f"{user}-password", roles=rights)
    return postgres, mongodb


@pytest.fixture
def installation(
    stack: Stack, databases: tuple[PostgresServer, MongoServer], tmp_path: Path
) -> Iterator[Installation]:
    installation = Installation(stack, tmp_path)
    try:
        with installation.proxy:
            yield installation
    finally:
        installation.stop()


@contextmanager
def ordering(shop: Shop, url: str) -> Iterator[Load]:
    """Customers who order, and one who signs in anew all the time; no request fails."""
    ended, failures = threading.Event(), list[str]()
    visitor = threading.Thread(target=sign_in_again, args=(url, failures, ended), daemon=True)
    with under_load(shop.new_customer(), url, shop.new_product(stock=1_000_000), callers=2) as load:
        visitor.start()
        try:
            yield load
        finally:
            ended.set()
            visitor.join(30)
    assert load.failures + failures == []


def sign_in_again(url: str, failures: list[str], ended: threading.Event) -> None:
    """Uses the tokens of a new sign-in at once: mostly another web process is asked than made them."""
    with httpx.Client(base_url=url, timeout=20) as http:
        while not ended.is_set():
            try:
                use_new_tokens(http)
            except (httpx.HTTPError, AssertionError) as error:
                failures.append(repr(error))


def use_new_tokens(http: httpx.Client) -> None:
    login = {"username": "alice", "password": DEMO_PASSWORD}
    tokens = http.post("/api/v1/auth/token/", json=login).json()
    renewed = http.post("/api/v1/auth/token/refresh/", json={"refresh": tokens["refresh"]})
    assert renewed.status_code == httpx.codes.OK, renewed.text
    for access in (tokens["access"], renewed.json()["access"]):
        answer = http.get("/api/v1/orders/", headers={"Authorization": f"Bearer {access}"})
        assert answer.status_code == httpx.codes.OK, answer.text


class Proofs:
    """What was signed with the secrets of one kind, old or new, and whether it is accepted."""

    def __init__(self, installation: Installation, which: str) -> None:
        self._secrets = {name: values[which] for name, values in installation.secrets.items()}
        self._url = f"http://localhost:{installation.proxy.port}"

    def accepted(self) -> dict[str, bool]:
        """By secret; asked several times, so that both web processes answer."""
        found = {
            "SECRET_KEY": [self._unsubscribe() for _ in range(4)],
            "STRIPE_WEBHOOK_SECRET": [self._webhook() for _ in range(4)],
            "MONITOR_TOKEN": [self._metrics() for _ in range(4)],
        }
        assert all(len(set(answers)) == 1 for answers in found.values()), found
        return {name: answers[0] for name, answers in found.items()}

    def _unsubscribe(self) -> bool:
        signer = Signer(key=self._secrets["SECRET_KEY"], sep=".", salt="orders_app.mail.unsubscribe")
        return httpx.get(f"{self._url}/mail/unsubscribe/{signer.sign('1')}/").status_code == httpx.codes.OK

    def _webhook(self) -> bool:
        body = json.dumps(event("nothing.for.us", {})).encode()
        signed = signature(body, self._secrets["STRIPE_WEBHOOK_SECRET"])
        headers = {"Stripe-Signature": signed, "Content-Type": "application/json"}
        answer = httpx.post(f"{self._url}/api/v1/payments/webhook/", content=body, headers=headers)
        return answer.status_code == httpx.codes.OK

    def _metrics(self) -> bool:
        header = {"Authorization": f"Bearer {self._secrets['MONITOR_TOKEN']}"}
        return httpx.get(f"{self._url}/metrics", headers=header).status_code == httpx.codes.OK


def test_the_secrets_of_web_are_replaced_under_load_without_one_failed_request(
    installation: Installation, shop: Shop, databases: tuple[PostgresServer, MongoServer]
) -> None:
    old, new = Proofs(installation, OLD), Proofs(installation, NEW)
    with ordering(shop, f"http://localhost:{installation.proxy.port}") as load:
        orders_go_on = partial(await_orders, load)
        assert (set(old.accepted().values()), set(new.accepted().values())) == ({True}, {False})
        installation.replace_webs(installation.settings(OLD, fallback=NEW), orders_go_on)
        assert set(new.accepted().values()) == {True}
        installation.replace_webs(installation.settings(NEW, fallback=OLD, login=NEW), orders_go_on)
        assert set(old.accepted().values()) == {True}
        lock_out(databases, LOGIN[OLD])
        orders_go_on()
    installation.replace_webs(installation.settings(NEW, login=NEW))
    assert (set(old.accepted().values()), set(new.accepted().values())) == ({False}, {True})


def lock_out(databases: tuple[PostgresServer, MongoServer], user: str) -> None:
    """This user can no longer sign in, and is signed in nowhere."""
    postgres, mongodb = databases
    with psycopg.connect(postgres.url, autocommit=True) as connection, mongodb.as_member() as client:
        connection.execute(f"ALTER ROLE {user} NOLOGIN")
        [[connections]] = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [user]
        ).fetchall()
        assert connections == 0
        client.admin.command("dropUser", user)
