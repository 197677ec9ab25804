"""Mails in tests: events, readers, and settings that send to a mail catcher."""

import uuid
from datetime import UTC, datetime
from typing import Any

from orders_app.mail.events import Confirmed, Facts, MailEvent
from orders_app.mail.reader import Reader
from tests.running_catcher import Catcher

AT = datetime(2026, 11, 26, 21, 5, tzinfo=UTC)
ALICE = Reader(user_id="7", address="alice@example.com", name="Alice")


def event(facts: Facts | None = None, user_id: str = "7", **fields: str) -> MailEvent:
    """An event of an order of its own."""
    order_id = str(uuid.uuid4())
    given = {
        "key": f"/stockbridge/orders {order_id}:3",
        "event_id": f"{order_id}:3",
        "order_id": order_id,
        "order_number": "SB-123456789",
    }
    return MailEvent(user_id=user_id, facts=facts or Confirmed(at=AT), **(given | fields))


def send_to(catcher: Catcher, settings: Any) -> None:
    """Makes the mail server of the settings the catcher."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_URL = catcher.email_url
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", catcher.smtp_port
    settings.EMAIL_TIMEOUT = 5
    settings.PUBLIC_URL = "https://shop.example"
