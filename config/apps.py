"""How the parts are put together, as a Django app."""

from django.apps import AppConfig, apps
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

from foundation.statement_metrics import observe_statements


class ConfigConfig(AppConfig):
    """Pages and commands that belong to no other app."""

    name = "config"
    verbose_name = "System"

    def ready(self) -> None:
        """Register the system checks; measure statements; keep the groups of staff after each `migrate`.

        The imports need the models to be loaded.
        """
        from config import checks  # noqa: F401, PLC0415 - registering is what importing does
        from config.staff_roles import ensure_roles  # noqa: PLC0415

        connection_created.connect(observe_statements)
        # The last of the apps: the permissions of the others are there.
        post_migrate.connect(ensure_roles, sender=apps.get_app_config("kafka_workers"))
