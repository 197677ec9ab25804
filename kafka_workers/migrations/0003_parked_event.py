"""SetAsideEvent becomes ParkedEvent: table and columns keep their names, groups and users keep their rights."""

from typing import Any

from django.db import migrations, models


def rename_permissions(apps: Any, old: str, new: str) -> None:
    permissions = apps.get_model("auth", "Permission").objects
    for action in ("add", "change", "delete", "view"):
        codename = f"{action}_{old.replace(' ', '')}"
        permissions.filter(content_type__app_label="kafka_workers", codename=codename).update(
            codename=f"{action}_{new.replace(' ', '')}", name=f"Can {action} {new}"
        )


def to_parked(apps: Any, _: Any) -> None:
    rename_permissions(apps, "set aside event", "parked event")


def to_set_aside(apps: Any, _: Any) -> None:
    rename_permissions(apps, "parked event", "set aside event")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("kafka_workers", "0002_dead_letters_in_the_admin"),
    ]

    operations = [
        migrations.RenameModel("SetAsideEvent", "ParkedEvent"),
        migrations.AlterField(
            "parkedevent",
            "set_aside_at",
            models.DateTimeField(auto_now_add=True, db_column="set_aside_at"),
        ),
        migrations.RenameField("parkedevent", "set_aside_at", "parked_at"),
        migrations.AlterField(
            "parkedevent",
            "reason",
            models.CharField(
                choices=[
                    ("refused", "The broker rejects one of its messages"),
                    ("unroutable", "Its data is not of its type"),
                    ("behind", "It follows such an event of the same order"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(to_parked, to_set_aside),
    ]
