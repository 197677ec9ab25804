"""The start page and the sidebar of the admin: what each group of staff is shown, and where it leads."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from config import admin_start
from config.admin_navigation import SECTIONS
from config.staff_roles import ADMINISTRATOR, FINANCE, SUPPORT, WAREHOUSE
from kafka_workers.models import LastAudit
from orders_app.analytics.periods import Period
from orders_app.state_machine import OrderStatus
from products_app.exceptions import CatalogueUnavailable
from products_app.services.catalogue import create_product
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)

START = reverse("admin:index")
NEEDS_MORE = re.compile("deadletter|waiting=")
"""Addresses that need Kafka, or filters that the list of orders has."""


def browser_of(*groups: str) -> Client:
    user = User.objects.create_user("clerk", is_staff=True)
    user.groups.add(*Group.objects.filter(name__in=groups))
    browser = Client()
    browser.force_login(user)
    return browser


def tasks_on(page: Any) -> dict[str, dict[str, Any]]:
    return {
        str(group.title): {str(task.label): task.number for task in group.tasks}
        for group in page.context["groups"]
    }


def links_of(page: Any) -> list[str]:
    return [item["link"] for group in page.context["sidebar_navigation"] for item in group["items"]]


def test_each_group_sees_what_waits_for_it_and_only_lists_that_it_may_open() -> None:
    expected = {
        SUPPORT: ["Warehouse", "Support", "Finance"],
        WAREHOUSE: ["Warehouse", "Support"],
        FINANCE: ["Warehouse", "Support", "Finance"],
        ADMINISTRATOR: ["Warehouse", "Support", "Finance", "Administration"],
    }
    for role, titles in expected.items():
        browser = browser_of(role)
        page = browser.get(START)
        assert list(tasks_on(page)) == titles
        urls = {task.url for group in page.context["groups"] for task in group.tasks} | {*links_of(page)}
        assert "/board/" in urls
        lists = [url for url in urls if url.startswith("/admin/") and not NEEDS_MORE.search(url)]
        assert {url: browser.get(url).status_code for url in lists} == dict.fromkeys(lists, 200)
        User.objects.all().delete()


def test_orders_and_failures_that_wait_are_counted(placer: OrderPlacer) -> None:
    placer.place_and_move(OrderStatus.PROCESSING)
    placer.place_and_move(OrderStatus.PROCESSING, OrderStatus.SHIPPED)
    LastAudit.objects.create(id=1, drift_pieces=3)
    tasks = tasks_on(browser_of(ADMINISTRATOR).get(START))
    assert tasks["Warehouse"]["Orders to ship"] == 1
    assert tasks["Warehouse"]["On their way to the customer"] == 1
    assert tasks["Administration"]["Drift of the stock, in pieces"] == 3
    assert tasks["Administration"]["Parked events"] == 0


@pytest.mark.usefixtures("clean_catalogue")
def test_products_that_are_low_or_sold_out_are_counted() -> None:
    create_product(name="Lamp", price=Decimal(1), stock=1, low_stock_at=2)
    create_product(name="Bench", price=Decimal(1), stock=0)
    create_product(name="Old bench", price=Decimal(1), stock=0, is_active=False)
    tasks = tasks_on(browser_of(WAREHOUSE).get(START))["Warehouse"]
    assert (tasks["Products low in stock"], tasks["Products sold out"]) == (1, 1)


def test_the_page_is_shown_while_mongodb_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(**_: object) -> None:
        raise CatalogueUnavailable

    monkeypatch.setattr("config.admin_tasks.find_products", unavailable)
    assert tasks_on(browser_of(WAREHOUSE).get(START))["Warehouse"]["Products low in stock"] is None


def test_staff_without_a_group_are_told_whom_to_ask() -> None:
    page = browser_of().get(START)
    assert "Ask an administrator to put you into a group" in page.content.decode()
    assert [link for link in links_of(page) if link.startswith(START)] == [START]


def test_the_page_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    browser = browser_of(ADMINISTRATOR)
    browser.get(START)
    with django_assert_max_num_queries(30):
        browser.get(START)


def periods_of_figures(monkeypatch: pytest.MonkeyPatch, zone: str, now: datetime) -> list[tuple[str, str]]:
    """Begin and end of the two periods whose figures are read."""
    asked: list[Period] = []
    monkeypatch.setattr(admin_start, "summarise", lambda selection, currency: asked.append(selection.period))
    admin_start.find_figures(ZoneInfo(zone), now)
    return [(str(period.start), str(period.end)) for period in asked]


def test_yesterday_ends_at_the_same_time_by_the_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    noon_after_summer_time = datetime(2026, 10, 25, 11, tzinfo=UTC)
    assert periods_of_figures(monkeypatch, "Europe/Berlin", noon_after_summer_time) == [
        ("2026-10-24 22:00:00+00:00", "2026-10-25 11:00:00+00:00"),
        ("2026-10-23 22:00:00+00:00", "2026-10-24 10:00:00+00:00"),
    ]


def test_today_begins_at_midnight_where_the_viewer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert periods_of_figures(monkeypatch, "Asia/Kolkata", datetime(2026, 3, 2, 1, tzinfo=UTC)) == [
        ("2026-03-01 18:30:00+00:00", "2026-03-02 01:00:00+00:00"),
        ("2026-02-28 18:30:00+00:00", "2026-03-01 01:00:00+00:00"),
    ]


def test_every_entry_of_the_sidebar_leads_somewhere() -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    entries = [entry.page for section in SECTIONS for entry in section.entries]
    assert links_of(root.get(START)) == [reverse(page) for page in entries]
