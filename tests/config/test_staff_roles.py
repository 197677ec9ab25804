"""The groups of staff: they exist on every installation, each with the permissions for its work."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from config.staff_roles import ADMINISTRATOR, FINANCE, ROLES, SUPPORT, WAREHOUSE
from tests.orders_app.admin.order_pages import LIST, OrderPages
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored

pytestmark = pytest.mark.django_db(transaction=True)

COMMON = {"orders_app_order", "products_app_product"}
LISTS = {
    SUPPORT: COMMON
    | {
        "orders_app_payment",
        "orders_app_refund",
        "orders_app_mailrecord",
        "orders_app_accountmail",
        "orders_app_stockcontradiction",
    },
    WAREHOUSE: COMMON | {"orders_app_stockcontradiction"},
    FINANCE: COMMON | {"orders_app_payment", "orders_app_refund", "orders_app_gatewayevent"},
}
"""The lists that the groups may open."""


def member_of(role: str) -> User:
    user = User.objects.create_user(f"one of {role}".lower().replace(" ", "-"), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def permissions_of(role: str) -> set[str]:
    found = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


def test_a_migrated_installation_has_the_groups_with_exactly_their_permissions() -> None:
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert {name: permissions_of(name) for name in ROLES} == {
        name: set(permissions) for name, permissions in ROLES.items()
    }


def test_permissions_that_were_added_by_hand_stay() -> None:
    added = Permission.objects.get(codename="refund_orders")
    Group.objects.get(name=SUPPORT).permissions.add(added)
    call_command("migrate", verbosity=0)
    assert permissions_of(SUPPORT) == {*ROLES[SUPPORT], "orders_app.refund_orders"}


@pytest.mark.parametrize("role", LISTS)
def test_a_group_opens_the_lists_of_its_work_and_no_others(role: str) -> None:
    user = member_of(role)
    opened = {
        f"{model._meta.app_label}_{model._meta.model_name}"
        for model in apps.get_models()
        if site.is_registered(model) and user.has_module_perms(model._meta.app_label)
        if any(
            user.has_perm(f"{model._meta.app_label}.{verb}_{model._meta.model_name}")
            for verb in ("view", "change")
        )
    }
    assert opened == LISTS[role]


def test_money_goes_back_and_stock_moves_only_by_those_whose_work_it_is() -> None:
    rights = {
        role: {right.partition(".")[2] for right in ROLES[role]}
        & {"refund_orders", "receive_stock", "ship_orders", "cancel_orders"}
        for role in LISTS
    }
    assert rights == {
        SUPPORT: {"cancel_orders"},
        WAREHOUSE: {"receive_stock", "ship_orders"},
        FINANCE: {"refund_orders"},
    }
    assert all(set(ROLES[role]) <= set(ROLES[ADMINISTRATOR]) for role in LISTS)


def test_what_could_change_orders_before_keeps_what_it_could_do() -> None:
    old = Group.objects.create(name="Order staff")
    old.permissions.add(Permission.objects.get(codename="change_order"))
    new = ("ship_orders", "cancel_orders", "mark_orders_paid", "view_customers")
    Permission.objects.filter(codename__in=new).delete()
    import_module("orders_app.migrations.0023_rights_of_staff").keep_what_staff_could_do(apps, None)
    assert permissions_of("Order staff") == {f"orders_app.{name}" for name in (*new, "change_order")}
    call_command("migrate", verbosity=0)  # which makes no second permission of the same name
    assert Permission.objects.filter(codename__in=new).count() == len(new)


def test_staff_without_a_group_cannot_touch_orders(placer: OrderPlacer) -> None:
    client = Client()
    client.force_login(User.objects.create_user("temp", is_staff=True))
    order_pages, order = OrderPages(client), placer.place()
    before = all_that_is_stored()
    assert client.get(LIST).status_code == 403
    order_pages.act("cancel", order.id)
    assert all_that_is_stored() == before


def test_customers_have_no_admin(placer: OrderPlacer) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=placer.user_id))
    assert client.get(LIST).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 302
