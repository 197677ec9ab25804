"""People who look at the pages of staff."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def staff(db: None) -> Client:
    """A browser in which staff are signed in, without a right in the admin."""
    client = Client()
    client.force_login(User.objects.create_user("sam", is_staff=True))
    return client


@pytest.fixture
def customer(db: None) -> Client:
    """A browser in which a customer is signed in."""
    client = Client()
    client.force_login(User.objects.create_user("ann"))
    return client
