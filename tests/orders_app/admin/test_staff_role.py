"""The staff role: it exists on every installation and has exactly the permissions for the work."""

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from orders_app.admin.staff_role import STAFF_ROLE
from tests.orders_app.admin.order_pages import LIST, OrderPages
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored

pytestmark = pytest.mark.django_db(transaction=True)
MAILS = reverse("admin:orders_app_mailrecord_changelist")
MONEY = [reverse(f"admin:orders_app_{model}_changelist") for model in ("payment", "refund", "gatewayevent")]
CONTRADICTIONS = reverse("admin:orders_app_stockcontradiction_changelist")


def permissions() -> set[str]:
    return set(Group.objects.get(name=STAFF_ROLE).permissions.values_list("codename", flat=True))


def test_a_migrated_installation_has_the_role_with_exactly_its_permissions() -> None:
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    orders = {"view_order", "change_order", "delete_order", "view_orderitem", "view_orderevent"}
    money = {"view_payment", "view_refund", "view_gatewayevent", "change_gatewayevent"}
    assert permissions() == orders | money | {"view_stockcontradiction", "view_mailrecord"}


def test_the_role_gives_access_to_orders_and_what_belongs_to_them_only(order_pages: OrderPages) -> None:
    for model in apps.get_models():
        if not site.is_registered(model):
            continue
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        opened = order_pages.client.get(page).status_code == 200
        assert opened is (page in {LIST, CONTRADICTIONS, MAILS, *MONEY}), page


def test_staff_without_the_role_cannot_touch_orders(placer: OrderPlacer) -> None:
    client = Client()
    client.force_login(User.objects.create_user("temp", is_staff=True))
    order_pages, order = OrderPages(client), placer.place()
    before = all_that_is_stored()
    assert client.get(LIST).status_code == 403
    assert order_pages.save(order.id, status=2).status_code == 403
    assert order_pages.act("cancel", order.id).status_code == 403
    assert all_that_is_stored() == before


def test_a_role_that_may_only_view_changes_nothing(placer: OrderPlacer, sam: User) -> None:
    Group.objects.get(name=STAFF_ROLE).permissions.remove(
        *Group.objects.get(name=STAFF_ROLE).permissions.exclude(codename__startswith="view_")
    )
    client = Client()
    client.force_login(sam)
    order_pages, order = OrderPages(client), placer.place()
    before = all_that_is_stored()
    assert client.get(LIST).status_code == 200
    assert order_pages.save(order.id, status=2).status_code == 403
    order_pages.act("cancel", order.id)
    assert all_that_is_stored() == before


def test_customers_have_no_admin(placer: OrderPlacer) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=placer.user_id))
    assert client.get(LIST).status_code == 302
