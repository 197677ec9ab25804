"""Who speaks to the API in these tests."""

import pytest
from django.contrib.auth.models import User

from tests.orders_app.api.people import Person
from tests.orders_app.ordering import Desk


@pytest.fixture
def customer(desk: Desk) -> Person:
    """The customer of the desk."""
    return Person(desk.user_id)


@pytest.fixture
def other(transactional_db: None) -> Person:
    """Another customer."""
    return Person(User.objects.create_user("other").pk)


@pytest.fixture
def staff(transactional_db: None) -> Person:
    """A member of staff."""
    return Person(User.objects.create_user("sam", is_staff=True).pk, is_staff=True)


@pytest.fixture
def anonymous() -> Person:
    """Nobody in particular."""
    return Person()
