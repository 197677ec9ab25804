"""Rights by what staff do with orders. All that could change orders before can do these four things still."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

RIGHTS = [
    ("ship_orders", "Can process, ship and deliver orders"),
    ("cancel_orders", "Can cancel orders of customers"),
    ("mark_orders_paid", "Can mark orders as paid"),
    ("view_customers", "Can see names and addresses of customers"),
]


def keep_what_staff_could_do(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the rights to groups and users that have `change_order`; a new installation has none."""
    Permission = apps.get_model("auth", "Permission")
    change = Permission.objects.filter(
        content_type__app_label="orders_app", codename="change_order"
    ).first()
    if change is None:
        return
    for codename, name in RIGHTS:
        right, _created = Permission.objects.get_or_create(
            content_type_id=change.content_type_id, codename=codename, defaults={"name": name}
        )
        right.group_set.add(*change.group_set.all())
        right.user_set.add(*change.user_set.all())


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("orders_app", "0022_indexes_of_analytics"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("override_checks", "Can let an order go on without its stock or payment"),
                    ("refund_orders", "Can give back what was paid for an order"),
                    *RIGHTS,
                ],
            },
        ),
        migrations.RunPython(keep_what_staff_could_do, migrations.RunPython.noop),
    ]
