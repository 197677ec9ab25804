"""The role of staff who work on orders, with the permissions that they need in the admin."""

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

STAFF_ROLE = "Order staff"
NEEDED_PERMISSIONS = (
    "view_order",
    "change_order",
    "delete_order",
    "view_orderitem",
    "view_orderevent",
    "view_payment",
    "view_refund",
    "view_gatewayevent",
    "change_gatewayevent",
    "view_stockcontradiction",
    "view_mailrecord",
)
"""Not `override_checks` and `refund_orders`: who may let orders go on without stock or payment, and who may
give money back, is decided for each person."""


def ensure_staff_role(sender: AppConfig, **_: object) -> None:
    """Create the role if missing and add its permissions; permissions added by hand stay.

    Called after each `migrate`.
    """
    role, _created = Group.objects.get_or_create(name=STAFF_ROLE)
    role.permissions.add(
        *Permission.objects.filter(content_type__app_label=sender.label, codename__in=NEEDED_PERMISSIONS)
    )
