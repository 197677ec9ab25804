"""The Django app of orders."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersAppConfig(AppConfig):
    """Orders, their items and the order log."""

    name = "orders_app"
    verbose_name = "Orders"

    def ready(self) -> None:
        """Import the table of effects; create the staff role after each `migrate`.

        A type of event without effects stops the process at its start. The permissions of the staff role
        exist only after a `migrate`. Both imports need the models to be loaded.
        """
        from orders_app import event_effects  # noqa: F401, PLC0415
        from orders_app.admin.staff_role import ensure_staff_role  # noqa: PLC0415

        post_migrate.connect(ensure_staff_role, sender=self)
