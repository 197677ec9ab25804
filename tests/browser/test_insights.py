"""The page of figures in a browser: it moves by itself, and says when it cannot."""

import csv
import io
from pathlib import Path

from playwright.sync_api import Page, expect

from devtools.driver.shop import Caller, Shop, eventually
from devtools.faults.broker import Broker
from devtools.stack.stack import Stack
from kafka_workers.workers import ANALYTICS
from tests.browser.requirements import require_all
from tests.browser.watching import Watcher

MILLISECONDS = 60_000
"""The page reads its figures every 20 seconds, and the worker needs a moment."""


def test_the_figures_move_by_themselves_and_are_the_same_as_a_chart_a_table_and_a_file(
    staff: Page, account: Caller, shop: Shop, stack: Stack
) -> None:
    broker = Broker(stack.env["KAFKA_BROKERS"])
    eventually(lambda: not broker.lag(ANALYTICS.group), "orders of earlier tests are in the figures")
    staff.goto("/insights/?range=today")
    expect(staff.get_by_role("heading", name="Insights")).to_be_visible()
    orders = staff.locator(".stat", has=staff.get_by_text("Orders", exact=True)).locator(".stat__value")
    before = int(orders.inner_text())
    account.place((shop.new_product(stock=5), 2))
    expect(orders).to_have_text(str(before + 1), timeout=MILLISECONDS)

    expect(staff.locator("[data-chart=course] svg")).to_be_visible()
    staff.get_by_label("Revenue", exact=True).press("ArrowRight")
    expect(staff.get_by_label("Orders", exact=True)).to_be_checked()
    staff.get_by_text("The same as a table").click()
    expect(staff.get_by_role("row", name="so far")).to_contain_text(str(before + 1))
    with staff.expect_download() as download:
        staff.get_by_role("link", name="Figures by step as CSV").click()
    rows = csv.DictReader(io.StringIO(Path(download.value.path()).read_text()))
    assert sum(int(row["orders"]) for row in rows) == before + 1


def test_it_tells_that_the_connection_is_lost_and_goes_on_when_it_is_back(
    staff: Page, watcher: Watcher
) -> None:
    watcher.tolerated.append("ERR_INTERNET_DISCONNECTED")
    staff.goto("/insights/")
    expect(staff.get_by_text("Live", exact=True)).to_be_visible()
    staff.get_by_role("button", name="Pause").click()
    expect(staff.get_by_text("Paused", exact=True)).to_be_visible()
    staff.context.set_offline(True)
    staff.get_by_role("button", name="Resume").click()
    expect(staff.get_by_text("No connection. Trying again.")).to_be_visible()
    staff.context.set_offline(False)
    expect(staff.get_by_text("Live", exact=True)).to_be_visible(timeout=MILLISECONDS)


def test_a_period_of_ones_own_is_chosen_by_keyboard_and_what_is_wrong_stands_beside_its_field(
    staff: Page,
) -> None:
    staff.goto("/insights/?range=7d")
    staff.get_by_role("textbox", name="From").fill("2026-11-20")
    staff.get_by_label("To, included").fill("2026-11-19")
    staff.get_by_label("To, included").press("Enter")
    expect(staff.get_by_text("The last day is before the first one.")).to_be_visible()
    expect(staff.get_by_label("To, included")).to_be_focused()
    staff.get_by_label("To, included").fill("2026-11-21")
    staff.get_by_label("Time zone").select_option("Asia/Kolkata")
    staff.get_by_role("button", name="Show").press("Enter")
    expect(staff.get_by_text("20 Nov 2026")).to_be_visible()
    expect(staff.get_by_text("days of Asia/Kolkata")).to_be_visible()


def test_it_is_accessible_and_light_and_fits_a_phone(staff: Page) -> None:
    staff.goto("/insights/")
    expect(staff.locator("[data-chart=funnel] svg")).to_be_visible()
    require_all(staff, 450)
