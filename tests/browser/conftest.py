"""The whole system with its demo, and the browsers of the people who use it.

`visitor`, `customer` and `staff` are pages in browsers of their own. When a test ends, it fails if one of its
pages reported an error, broke its policy, asked another host or shifted its layout (`watching.py`).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from devtools.driver.browser import sign_in
from devtools.driver.shop import CUSTOMER_PASSWORD, DEMO_PASSWORD, Caller, Shop
from devtools.stack.stack import Stack
from tests.browser.watching import Watcher
from tests.chromium import chromium
from tests.running_system import books, inbox, kafka_client, running_stack, shop

__all__ = ["books", "inbox", "kafka_client", "shop", "sign_in"]

SECONDS = 300
"""How long a test may take; the first waits until the system has started."""
_HOST = "localhost"

OpenPage = Callable[..., Page]
"""Opens a page in a browser of its own: `open_page("alice", width=390, language="de-DE")`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(SECONDS))


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Stack]:
    with running_stack(tmp_path_factory) as stack:
        yield stack


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; without it the tests are skipped."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    """Watches the pages that the test opens. Append to `tolerated` what the test provokes."""
    watcher = Watcher(_HOST)
    yield watcher
    faults = watcher.faults()
    watcher.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def open_page(browser: Browser, stack: Stack, watcher: Watcher) -> OpenPage:
    """Opens a page in a browser of its own, signed in if a user name is given; see OpenPage."""

    def open_it(
        name: str = "",
        password: str = DEMO_PASSWORD,
        *,
        width: int = 1280,
        language: str = "en-US",
        zone: str = "Europe/Berlin",
        javascript: bool = True,
    ) -> Page:
        context = browser.new_context(
            base_url=stack.env["PUBLIC_URL"],
            viewport={"width": width, "height": 800},
            locale=language,
            timezone_id=zone,
            java_script_enabled=javascript,
        )
        watcher.watch(context, runs_scripts=javascript)
        page = context.new_page()
        if name:
            sign_in(page, name, password)
        return page

    return open_it


@pytest.fixture
def visitor(open_page: OpenPage) -> Page:
    """The page of a person who is not signed in."""
    return open_page()


@pytest.fixture
def account(shop: Shop) -> Caller:
    """The account of a new customer, for calls of the API before the page of `customer` is opened."""
    return shop.new_customer()


@pytest.fixture
def customer(open_page: OpenPage, account: Caller) -> Page:
    """The page of a new customer, `account`, who is signed in."""
    return open_page(account.name, CUSTOMER_PASSWORD)


@pytest.fixture
def staff(open_page: OpenPage) -> Page:
    """The page of sam, a member of staff, who is signed in."""
    return open_page("sam")


@pytest.fixture
def administrator(open_page: OpenPage) -> Page:
    """The page of the superuser, who is signed in."""
    return open_page("admin")
