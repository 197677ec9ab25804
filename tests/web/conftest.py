"""A web process on the tests' databases, started as by the stack."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from tests.database import in_test_database
from tests.orders_app.api.conftest import customer, other
from tests.orders_app.ordering import catalogue, placer
from tests.orders_app.paying import payment_gateway
from tests.orders_app.sockets.conftest import accepts

__all__ = ["catalogue", "customer", "other", "payment_gateway", "placer"]

FRONT_END = "http://pages.example"
WITHOUT_THROTTLES = {"LOGIN_RATE": "off", "REGISTRATION_RATE": "off", "LOGIN_FAILURES": "1000000"}


@pytest.fixture(scope="package")
def web_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of the web process."""
    return tmp_path_factory.mktemp("web") / "log"


@pytest.fixture(scope="package")
def web_url(django_db_setup: None, mongodb: str, web_log: Path) -> Iterator[str]:
    """The URL of the web process."""
    port = free_ports(1)[0]
    with web_log.open("wb") as output:
        web = subprocess.Popen(
            [sys.executable, "-m", "web.server", "--port", str(port), "config.wsgi:application"],
            env=in_test_database() | WITHOUT_THROTTLES | {"FRONTEND_URL": FRONT_END},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: accepts(port), "the web process listens")
        yield f"http://127.0.0.1:{port}"
    finally:
        web.terminate()
        web.wait(15)
