"""A sandbox in a process of its own, the stripe library as its client, and a receiver of its webhooks."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import stripe

from devtools.driver.shop import eventually
from tests.local_server import LocalServer, Request
from tests.python_process import RunningPython

KEY, WEBHOOK_SECRET = "sk_test_of_the_suite", "whsec_of_the_suite"


class Receiver(LocalServer):
    """Keeps the events that it is sent; refuses the first `refusals` of them with 500."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []
        self.refusals = 0

    @property
    def url(self) -> str:
        return f"{super().url}/api/v1/payments/webhook/"

    def kinds(self) -> set[str]:
        """The types of the events that have come."""
        return {event.type for event in self.events}

    def post(self, request: Request) -> None:
        signature = request.headers["Stripe-Signature"]
        event = stripe.Webhook.construct_event(request.body(), signature, WEBHOOK_SECRET)
        refused = self.refusals > 0
        if refused:
            self.refusals -= 1
        else:
            self.events.append(event)
        request.answer(status=HTTPStatus.INTERNAL_SERVER_ERROR if refused else HTTPStatus.OK)


class Sandbox(RunningPython):
    """A running sandbox with its books."""

    def __init__(self, books: Path, webhook_url: str) -> None:
        self._books, self._webhook_url = books, webhook_url
        self.port = 0
        self.start()

    def start(self) -> None:
        address = self.launch(
            *("-m", "devtools.payment_sandbox", "--books", str(self._books)),
            *("--webhook-url", self._webhook_url, "--webhook-seconds", "0.2", "--port", str(self.port)),
            STRIPE_SECRET_KEY=KEY,
            STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
        )
        self.port = int(address.rpartition(":")[2])

    def client(self, key: str = KEY, seconds: float = 10) -> stripe.StripeClient:
        """A client of the sandbox, without retries of its own."""
        return stripe.StripeClient(
            key,
            base_addresses={"api": f"http://127.0.0.1:{self.port}"},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=seconds),
        )


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("books"), receiver.url)
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    return sandbox.client()


def event_about(receiver: Receiver, kind: str, identifier: str) -> Any:
    """The first event of this type about the object with this id, once it has come."""

    def found() -> Any:
        events = [event for event in receiver.events if event.type == kind]
        return next((event for event in events if identifier in json.dumps(event.to_dict())), None)

    return eventually(found, f"the event {kind}")
