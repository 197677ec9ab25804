"""Pages in a real browser: they work under their content security policy, without a violation."""

import json
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from orders_app.mail.unsubscribing import unsubscribe_url
from products_app.models import ServiceKey
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)

CHROMIUM = shutil.which("chromium") or ""
PASSWORD = "kettle-orchard-9"
MODELS = ("orders_app_order", "products_app_servicekey", "auth_user", "admin_logentry")
with_browser = pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine")


def browser_errors(server: LiveServer, *paths: str) -> list[str]:
    """The errors that a browser signed in as admin reports for these pages."""
    opened = subprocess.run(
        [sys.executable, "-m", "tests.web.open_pages", CHROMIUM, server.url, "admin", PASSWORD, *paths],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert opened.returncode == 0, opened.stderr
    found: list[str] = json.loads(opened.stdout)
    return found


@pytest.fixture
def admin(transactional_db: None) -> User:
    return User.objects.create_superuser("admin", password=PASSWORD)


@with_browser
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("admin")
def test_the_pages_of_the_system_violate_no_policy(live_server: LiveServer, placer: OrderPlacer) -> None:
    order = placer.place()
    key, _ = ServiceKey.issue(name="shop")
    paths = [
        "/api/docs/",
        "/api/events/",
        "/api/v1/",
        "/api/v1/orders/",
        f"/api/v1/orders/{order.id}/",
        reverse("admin:orders_app_order_change", args=[order.id]),
        reverse("admin:products_app_servicekey_change", args=[key.pk]),
        *[reverse(f"admin:{model}_changelist") for model in MODELS],
        reverse("admin:products_app_servicekey_add"),
        reverse("admin:kafka_workers_deadletterrecord_changelist"),
        reverse("admin:orders_app_mailrecord_previews"),
        urlsplit(unsubscribe_url("1")).path,
        "/account/password/reset/?uid=MQ&token=x",
        "/account/email/confirm/?uid=MQ&token=x",
        "/cart/",
        "/account/",
    ]
    found = browser_errors(live_server, *paths)
    assert not found, "\n".join(found)


def policy_of(path: str) -> dict[str, str]:
    """The policy of a page, by directive."""
    header = Client().get(path)["Content-Security-Policy"]
    parts = [part.strip().partition(" ") for part in header.split(";")]
    return {name: sources for name, _, sources in parts}


def test_no_page_runs_inline_scripts_or_is_framed() -> None:
    for path in ("/admin/login/", "/api/docs/", "/nowhere"):
        policy = policy_of(path)
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe-inline" not in policy["script-src"]
        assert policy["form-action"] == policy["connect-src"] == "'self'"
    assert policy_of("/nowhere")["script-src"] == policy_of("/nowhere")["style-src"] == "'self'"
    assert policy_of("/api/docs/")["script-src"] == "'self'"


def test_pages_carry_the_other_headers_too() -> None:
    page = Client().get("/admin/login/")
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


def test_answers_that_are_not_pages_have_no_policy() -> None:
    assert "Content-Security-Policy" not in Client().get("/api/v1/orders/statuses/")
