"""What the sandbox tells by webhook: late, some of it twice, in any order, until the receiver takes it.

Signed as in https://docs.stripe.com/webhooks#verify-manually.
"""

import hashlib
import hmac
import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from devtools.payment_sandbox.books import Books, Entries, Object
from devtools.payment_sandbox.clock import Clock

_COPIES = (1, 2, 2, 3)
_AT_ONCE = 8
_ANSWER_SECONDS = 10
_LONGEST_PAUSE_SECONDS = 60


@dataclass(frozen=True)
class Receiver:
    """Where webhooks go, and the secret that signs them."""

    url: str
    secret: str


@dataclass(frozen=True)
class Schedule:
    """When events are sent: each copy at a time of its own, at most `latest` seconds from now."""

    latest: float

    def later(self) -> float:
        """A Unix time within the next `latest` seconds."""
        return time.time() + random.uniform(0, self.latest)

    def tell(self, entries: Entries, kind: str, subject: Object) -> None:
        """Notes one to three sendings of an event about a payment, charge, refund or dispute."""
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": None,
            "created": int(time.time()),
            "data": {"object": subject},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        entries.add_deliveries(event, [self.later() for _ in range(random.choice(_COPIES))])


class Sender(Clock):
    """Sends what is due, again and again until the receiver answers with 2xx."""

    def __init__(self, books: Books, receiver: Receiver) -> None:
        super().__init__("webhooks")
        self._books, self._receiver = books, receiver
        self._url = urlsplit(receiver.url)
        self._kept = threading.local()
        self._threads = ThreadPoolExecutor(_AT_ONCE)

    def run(self) -> None:
        """Sends until `stop`, and then ends its threads."""
        with self._threads:
            super().run()

    def do_what_is_due(self) -> None:
        """Sends the events whose time has come, and notes which of them the receiver has taken."""
        with self._books.reading() as entries:
            due = entries.due_deliveries(time.time(), 10 * _AT_ONCE)
        taken = list(self._threads.map(self._send, [event for _, event, _ in due]))
        if due:
            self._note(due, taken)

    def _note(self, due: list[tuple[int, str, int]], taken: list[bool]) -> None:
        with self._books.writing() as entries:
            for (number, _, tries), was_taken in zip(due, taken, strict=True):
                if was_taken:
                    entries.end_delivery(number)
                else:
                    entries.postpone_delivery(number, time.time() + min(2**tries, _LONGEST_PAUSE_SECONDS))

    def _send(self, event: str) -> bool:
        """Whether the receiver has taken it."""
        body, connection = event.encode(), self._connection()
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": sign(body, self._receiver.secret, int(time.time())),
        }
        try:
            connection.request("POST", self._url.path, body, headers)
            with connection.getresponse() as answer:
                answer.read()
        except (OSError, HTTPException):
            connection.close()  # the next request opens it again
            return False
        return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES

    def _connection(self) -> HTTPConnection:
        """The connection of this thread, which stays open between webhooks."""
        if not hasattr(self._kept, "connection"):
            kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
            self._kept.connection = kind(self._url.hostname or "", self._url.port, timeout=_ANSWER_SECONDS)
        connection: HTTPConnection = self._kept.connection
        return connection


def sign(body: bytes, secret: str, sent_at: int) -> str:
    """The header Stripe-Signature for a body that is sent at this Unix time."""
    signature = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={sent_at},v1={signature}"
