"""The orders that hold a product, in the admin."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from config.staff_roles import WAREHOUSE
from products_app.services.stock.service import settle
from tests.orders_app.ordering import OrderPlacer, answer, reserved
from tests.products_app.lines import reserve_line
from tests.products_app.product_stock import KEY, new_order, reserve, stocked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_catalogue")]


def test_the_orders_that_hold_a_product_are_listed_with_their_numbers(placer: OrderPlacer) -> None:
    lamp, external = stocked(100), new_order()
    order = placer.place_items((lamp, 2)).order
    settle([reserve(str(order.id), (lamp, 2))])
    answer(reserved(order))
    reserve_line(order_id=external, product_id=lamp, quantity=3, key=KEY)
    clerk, viewer = (User.objects.create_user(name, is_staff=True) for name in ("clerk", "viewer"))
    clerk.groups.add(Group.objects.get(name=WAREHOUSE))
    viewer.user_permissions.add(Permission.objects.get(codename="view_product"))
    page = reverse("admin_product_holds", args=[lamp])
    link = reverse("admin:orders_app_order_change", args=[order.id])
    browser = Client()
    for user, is_linked in ((clerk, True), (viewer, False)):
        browser.force_login(user)
        shown = browser.get(page)
        text = shown.content.decode()
        assert [hold.quantity for hold in shown.context["page"].object_list] == [2, 3]
        assert order.order_number in text
        assert external in text
        assert (link in text) == is_linked
        assert shown.context["counts"].held == 5
    browser.logout()
    assert browser.get(page).status_code == 302
