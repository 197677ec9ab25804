"""The member of staff who uses the admin in these tests."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from config.staff_roles import SUPPORT, WAREHOUSE
from tests.orders_app.admin.order_pages import OrderPages

OTHER_RIGHTS = {"mark_orders_paid", "delete_order", "view_gatewayevent", "change_gatewayevent"}


@pytest.fixture
def sam(transactional_db: Any) -> User:
    """A member of staff who works on orders from the first to the last, and gives no money back."""
    sam = User.objects.create_user("sam", is_staff=True)
    sam.groups.add(*Group.objects.filter(name__in=(SUPPORT, WAREHOUSE)))
    sam.user_permissions.add(*Permission.objects.filter(codename__in=OTHER_RIGHTS))
    return sam


@pytest.fixture
def order_pages(sam: User) -> OrderPages:
    """The order pages in Sam's browser."""
    client = Client()
    client.force_login(sam)
    return OrderPages(client)
