"""Whatever the parameters of an admin page are, they are no server error and change nothing."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import DataError
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from kafka_workers.models import DeadLetterRecord
from orders_app.admin import OrderAdmin
from products_app.selectors import find_products
from tests.orders_app.admin.order_pages import LIST, messages_of
from tests.orders_app.ordering import OrderPlacer
from tests.web.callers import everything
from tests.web.test_every_route import ADMIN_ROUTES
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db(transaction=True)

LOOKUPS = ("", "__in", "__gte", "__year", "__range", "__isnull", "__regex")
VALUES = ("", "abc", "99999", "9" * 5_000, "1,", "\x00", "[")
PARAMETERS = (
    *({name: value} for name in ("p", "o", "q", "all", "e", "_popup", "_to_field") for value in VALUES),
    {"o": "1.-2.999.x"},
    {"p": "99999999999"},
)
IDS = ("not-a-uuid", "1", "-1", "9" * 30, "%00", "_5F", "é", "00000000-0000-0000-0000-000000000000")
POSTS: tuple[dict[str, Any], ...] = (
    {},
    {"action": "ship"},
    {"action": "nonsense", "_selected_action": "1"},
    *(
        {"action": action, "_selected_action": selected}
        for action in ("ship", "cancel", "mark_paid", "revoke", "rotate", "send_again", "delete_selected", "")
        for selected in (["not-a-uuid"], ["9" * 30], ["\x00"], ["1", "x"], [])
    ),
    {"action": "cancel", "_selected_action": "x", "reason": "\x00"},
    {"status": "\x00", "post": "yes", "_save": "1"},
    {"_selected_action": ["x"], "index": "7", "select_across": "1"},
)
"""Of Kafka's pages the tests are in tests/kafka_workers/admin."""
MODELS = [model for model in site._registry if model is not DeadLetterRecord]


@pytest.fixture
def browser(placer: OrderPlacer) -> WsgiClient:
    """The browser of somebody who may do all."""
    browser = WsgiClient()
    browser.force_login(User.objects.create_superuser("root"))
    placer.place()
    find_products(include_inactive=True)  # which lists what the placer has put into the catalogue
    return browser


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def fields_to_filter_by() -> dict[type[Model], list[str]]:
    """A field of each type that the models have, with the first model that has one.

    A field of the same type of another model is read by the same code.
    """
    chosen = {
        type(field): (model, field.name)
        for model in reversed(MODELS)
        for field in model._meta.concrete_fields
    }
    return {model: [name for owner, name in chosen.values() if owner is model] for model in MODELS}


FIELDS = fields_to_filter_by()


def filters(model: type[Model]) -> Iterator[dict[str, str]]:
    """Parameters that filter by these fields; some mean nothing."""
    for name, lookup, value in product(FIELDS[model], LOOKUPS, ("abc", "99999", "[")):
        yield {f"{name}{lookup}": value}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_parameter_of_a_list_is_a_server_error(model: type[Model], browser: WsgiClient) -> None:
    before = everything()
    for parameters in (*PARAMETERS, *filters(model)):
        answer = browser.get(list_of(model), parameters)
        assert answer.status_code in {200, 302, 400}, parameters
        if answer.status_code == 302:
            shown = browser.get(answer["Location"])
            assert shown.status_code == 200, parameters
    assert everything() == before


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_form_sent_to_a_list_is_a_server_error(model: type[Model], browser: WsgiClient) -> None:
    before = everything()
    for form in POSTS:
        answer = browser.post(list_of(model), form, format="multipart")
        assert answer.status_code in {200, 302, 400, 403}, form
    assert everything() == before


def test_no_id_in_a_path_is_a_server_error(browser: WsgiClient) -> None:
    before = everything()
    for route in ADMIN_ROUTES:
        if "deadletter" in route or not re.search(r"<[^>]*>", route):
            continue
        for wrong in IDS:
            path = "/" + re.sub(r"<[^>]*>|\(\?P<[^>]*>[^)]*\)", wrong, route).rstrip("$")
            for answer in (browser.get(path), browser.post(path, {"post": "yes"}, format="multipart")):
                assert answer.status_code in {200, 302, 400, 403, 404, 405}, path
    assert everything() == before


def test_the_page_says_that_a_parameter_has_no_meaning(browser: WsgiClient) -> None:
    staff = Client()
    staff.force_login(User.objects.get(username="root"))
    users = reverse("admin:auth_user_changelist")
    no_id = {"action": "delete_selected", "_selected_action": "no-id"}
    answers = {
        LIST: staff.get(LIST, {"created_at__year": "99999"}, follow=True),
        users: staff.post(users, no_id, follow=True),
    }
    for page, answer in answers.items():
        assert answer.redirect_chain == [(page, 302)]
        assert "has no meaning here" in messages_of(answer)[0]


def test_an_action_with_an_id_that_is_none_finds_no_order(browser: WsgiClient) -> None:
    staff = Client()
    staff.force_login(User.objects.get(username="root"))
    chosen = {"action": "ship", "_selected_action": "no-id"}
    assert staff.post(LIST, chosen, follow=True).status_code == 404


def test_an_error_of_ours_stays_a_server_error(browser: WsgiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise DataError("ours")

    monkeypatch.setattr(OrderAdmin, "get_search_results", fail)
    assert browser.get(LIST).status_code == 500
