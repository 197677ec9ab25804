"""`manage.py seed_demo`: the demo data exist once after any number of runs."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from config.management.commands.seed_demo import PASSWORD
from config.staff_roles import FINANCE, SUPPORT, WAREHOUSE
from orders_app.models.order import OVERRIDE_CHECKS, REFUND_ORDERS
from products_app.selectors import find_products

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]


def seed() -> str:
    output = StringIO()
    call_command("seed_demo", stdout=output)
    return output.getvalue().strip()


@pytest.mark.usefixtures("clean_catalogue")
def test_the_demo_is_loaded_once_and_reports_what_it_did() -> None:
    assert seed() == "Demo users: 4 added of 4. Demo products: 24 added of 24."
    shelf = find_products(include_inactive=True)[:100]
    assert len(shelf) == 24
    assert len({product.category for product in shelf}) >= 4
    assert all(product.in_stock and product.is_active for product in shelf)
    assert all(product.low_stock_at and not product.low_stock for product in shelf)
    assert seed() == "Demo users: 0 added of 4. Demo products: 0 added of 24."
    assert find_products(include_inactive=True).bounded_count(100).rows == 24


@pytest.mark.usefixtures("clean_catalogue")
def test_its_users_are_two_customers_staff_and_a_superuser() -> None:
    seed()
    users = User.objects.order_by("username")
    assert [(user.username, user.is_staff, user.is_superuser) for user in users] == [
        ("admin", True, True),
        ("alice", False, False),
        ("bob", False, False),
        ("sam", True, False),
    ]
    assert all(user.check_password(PASSWORD) for user in users)
    groups = User.objects.get(username="sam").groups.values_list("name", flat=True)
    assert set(groups) == {SUPPORT, WAREHOUSE, FINANCE}
    assert User.objects.get(username="sam").has_perm(REFUND_ORDERS)
    assert not User.objects.get(username="sam").has_perm(OVERRIDE_CHECKS)
