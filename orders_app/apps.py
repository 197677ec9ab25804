"""Orders, as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersAppConfig(AppConfig):
    """Orders, their items and the log of all that happened to them."""

    name = "orders_app"
    verbose_name = "Orders"

    def ready(self) -> None:
        """Permissions exist only after a migrate, so the role that holds them is made then."""
        from orders_app.admin.staff_role import ensure_staff_role  # noqa: PLC0415 - models must be loaded

        post_migrate.connect(ensure_staff_role, sender=self)
