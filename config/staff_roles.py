"""The groups of staff: which permissions of the admin each of them has (docs/admin.md)."""

from collections.abc import Sequence

from django.contrib.auth.models import Group, Permission

SUPPORT = "Support"
WAREHOUSE = "Warehouse"
FINANCE = "Finance"
ADMINISTRATOR = "Administrator"

_ORDERS = (
    "orders_app.view_order",
    "orders_app.view_orderitem",
    "orders_app.view_orderevent",
    "products_app.view_product",
)
_PAYMENTS = ("orders_app.view_payment", "orders_app.view_refund")
_SUPPORT = (
    *_ORDERS,
    *_PAYMENTS,
    "orders_app.view_customers",
    "orders_app.change_order",
    "orders_app.cancel_orders",
    "orders_app.view_mailrecord",
    "orders_app.view_accountmail",
    "orders_app.view_stockcontradiction",
)
_WAREHOUSE = (
    *_ORDERS,
    "orders_app.view_customers",
    "orders_app.ship_orders",
    "orders_app.view_stockcontradiction",
    "products_app.receive_stock",
    "products_app.adjust_stock",
)
_FINANCE = (
    *_ORDERS,
    *_PAYMENTS,
    "orders_app.mark_orders_paid",
    "orders_app.refund_orders",
    "orders_app.view_gatewayevent",
    "orders_app.change_gatewayevent",
)
_ADMINISTRATOR = (
    "orders_app.delete_order",
    "orders_app.override_checks",
    "orders_app.view_redaction",
    "products_app.add_product",
    "products_app.change_product",
    "products_app.delete_product",
    "products_app.view_servicekey",
    "products_app.add_servicekey",
    "products_app.change_servicekey",
    "kafka_workers.view_deadletterrecord",
    "kafka_workers.settle_deadletterrecord",
    "kafka_workers.view_parkedevent",
    "kafka_workers.change_parkedevent",
    "auth.view_user",
    "auth.add_user",
    "auth.change_user",
    "auth.view_group",
    "admin.view_logentry",
)
ROLES: dict[str, Sequence[str]] = {
    SUPPORT: _SUPPORT,
    WAREHOUSE: _WAREHOUSE,
    FINANCE: _FINANCE,
    ADMINISTRATOR: (*_SUPPORT, *_WAREHOUSE, *_FINANCE, *_ADMINISTRATOR),
}
"""The permissions of each group, as `app.codename`. Rights of groups are given by superusers alone."""


def ensure_roles(**_: object) -> None:
    """Create the groups that are missing, and add their permissions; permissions added by hand stay.

    Called after each `migrate`, when the permissions of all apps are there.
    """
    Group.objects.bulk_create([Group(name=name) for name in ROLES], ignore_conflicts=True)
    groups = Group.objects.in_bulk(list(ROLES), field_name="name")
    permissions = {
        f"{app}.{codename}": key
        for key, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    granted_rows = Group.permissions.through
    granted_rows.objects.bulk_create(
        [
            granted_rows(group_id=groups[name].pk, permission_id=permissions[each])
            for name, granted in ROLES.items()
            for each in dict.fromkeys(granted)
            if each in permissions
        ],
        ignore_conflicts=True,
    )
