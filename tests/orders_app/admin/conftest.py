"""The member of staff who uses the admin in these tests."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from orders_app.admin.staff_role import STAFF_ROLE
from tests.orders_app.admin.order_pages import OrderPages


@pytest.fixture
def sam(transactional_db: Any) -> User:
    """A member of staff with the role and no other permission."""
    sam = User.objects.create_user("sam", is_staff=True)
    sam.groups.add(Group.objects.get(name=STAFF_ROLE))
    return sam


@pytest.fixture
def order_pages(sam: User) -> OrderPages:
    """The order pages in Sam's browser."""
    client = Client()
    client.force_login(sam)
    return OrderPages(client)
