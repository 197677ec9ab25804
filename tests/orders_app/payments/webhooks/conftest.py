"""The webhook secret for every test of webhooks that asks for it."""

import pytest
from pytest_django import Settings

from tests.orders_app.payments.webhooks.gateway_events import SECRET


@pytest.fixture
def webhook_secret(settings: Settings) -> None:
    settings.STRIPE_WEBHOOK_SECRET = SECRET
