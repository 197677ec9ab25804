"""The role of those who work on orders: what they need in the admin and no more."""

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

STAFF_ROLE = "Order staff"
NEEDED = ("view_order", "change_order", "delete_order", "view_orderitem", "view_orderevent")


def ensure_staff_role(sender: AppConfig, **_: object) -> None:
    """After each migrate: the role exists and has what it needs; what an administrator added stays."""
    role, _created = Group.objects.get_or_create(name=STAFF_ROLE)
    role.permissions.add(
        *Permission.objects.filter(content_type__app_label=sender.label, codename__in=NEEDED)
    )
