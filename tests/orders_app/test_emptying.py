"""After a test that commits, the database is as `migrate` has left it."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import TransactionTestCase

from orders_app.models import Order, OrderEvent
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)


def empty() -> None:
    """Does what is done after each test that commits."""
    TransactionTestCase()._fixture_teardown()  # type: ignore[attr-defined]  # it has no types


def test_rows_are_gone_those_of_the_append_only_log_too_and_what_migrate_makes_stays(
    placer: OrderPlacer,
) -> None:
    placer.place()
    permissions = set(Permission.objects.values_list("pk", flat=True))
    empty()
    assert [model.objects.count() for model in (User, Order, OrderEvent)] == [0, 0, 0]
    assert set(Permission.objects.values_list("pk", flat=True)) == permissions


def test_what_migrate_makes_is_made_anew_where_a_test_has_changed_it() -> None:
    names = set(Group.objects.values_list("name", flat=True))
    assert names
    Group.objects.all().delete()
    empty()
    assert set(Group.objects.values_list("name", flat=True)) == names
