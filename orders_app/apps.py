"""Orders, as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersAppConfig(AppConfig):
    """Orders, their items and the log of all that happened to them."""

    name = "orders_app"
    verbose_name = "Orders"

    def ready(self) -> None:
        """Check the table of effects; make the role of staff after a migrate, when its permissions exist."""
        # Imported here because models must be loaded; a type of event without an entry stops the process now.
        from orders_app import event_effects  # noqa: F401, PLC0415
        from orders_app.admin.staff_role import ensure_staff_role  # noqa: PLC0415

        post_migrate.connect(ensure_staff_role, sender=self)
