"""What users of the admin may do with orders, besides the permissions that `models/order.py` names."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

VIEW_ORDER = "orders_app.view_order"
CHANGE_ORDER = "orders_app.change_order"
DELETE_ORDER = "orders_app.delete_order"


def require_permissions(request: HttpRequest, *permissions: str) -> None:
    """Raises PermissionDenied where the user lacks one of these."""
    if not request.user.has_perms(permissions):
        raise PermissionDenied
