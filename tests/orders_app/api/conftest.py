"""The users of the API in these tests."""

import pytest
from django.contrib.auth.models import User

from tests.orders_app.api.api_users import ApiUser
from tests.orders_app.ordering import OrderPlacer


@pytest.fixture
def customer(placer: OrderPlacer) -> ApiUser:
    """The customer of the order placer."""
    return ApiUser(placer.user_id)


@pytest.fixture
def other(transactional_db: None) -> ApiUser:
    """Another customer."""
    return ApiUser(User.objects.create_user("other").pk)


@pytest.fixture
def staff(transactional_db: None) -> ApiUser:
    """A member of staff."""
    return ApiUser(User.objects.create_user("sam", is_staff=True).pk, is_staff=True)


@pytest.fixture
def anonymous() -> ApiUser:
    """A user without a token."""
    return ApiUser()
