"""Who may see and change which orders: customers their own, staff all. The one place that decides it."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework_simplejwt.models import TokenUser

from orders_app.event_log import Origin
from orders_app.exceptions import OrderNotFound
from orders_app.models import Order
from orders_app.models.order import OVERRIDE_CHECKS
from orders_app.selectors import all_orders, orders_of

NOT_OWN = "Only the customer of an order can pay it."
Requester = User | TokenUser | AnonymousUser


def user_id(user: Requester) -> int:
    """The user's id; in a token it is text."""
    return int(user.pk or 0)


def visible_orders(user: Requester) -> QuerySet[Order]:
    """The orders that exist for this user: another customer's order is no different from none at all."""
    return all_orders() if user.is_staff else orders_of(user_id(user))


def require_visible(user: Requester, order_id: UUID) -> None:
    """Raise OrderNotFound unless the user may see the order."""
    if not visible_orders(user).filter(pk=order_id).exists():
        raise OrderNotFound(order_id)


def require_own(user: Requester, order_id: UUID) -> None:
    """Raise OrderNotFound unless the user may see the order, and PermissionDenied where it is another's."""
    if not orders_of(user_id(user)).filter(pk=order_id).exists():
        require_visible(user, order_id)
        raise PermissionDenied(NOT_OWN)


def origin_of(request: Request | HttpRequest) -> Origin:
    """Who asks, and the trace that the request belongs to."""
    role = "staff" if request.user.is_staff else "customer"
    return Origin(f"{role}:{request.user.pk}", cast("Any", request).trace_parent)


def may_override_checks(user: Requester) -> bool:
    """Whether the user may let an order go on without its stock or payment; asks the database."""
    account = User.objects.filter(pk=user_id(user)).first()
    return account is not None and account.has_perm(OVERRIDE_CHECKS)


class IsThatUserOrStaff(IsAuthenticated):
    """For routes that name a user: that user or staff, whether or not such a user exists."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the route's user is the one who asks."""
        asked = view.kwargs.get("user_id")
        return super().has_permission(request, view) and (
            request.user.is_staff or user_id(request.user) == asked
        )
