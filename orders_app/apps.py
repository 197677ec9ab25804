"""The Django app of orders."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, post_save, pre_save


class OrdersAppConfig(AppConfig):
    """Orders, their items and the order log."""

    name = "orders_app"
    verbose_name = "Orders"

    def ready(self) -> None:
        """Import the table of effects; watch over user names and mail addresses.

        A type of event without effects stops the process at its start. The imports need the models to be
        loaded.
        """
        from django.contrib.auth.models import User  # noqa: PLC0415

        from orders_app import event_effects  # noqa: F401, PLC0415
        from orders_app.accounts import mail_addresses, names  # noqa: PLC0415

        post_migrate.connect(names.keep_all_normal_forms, sender=self)
        post_migrate.connect(mail_addresses.hold_all_addresses, sender=self)
        pre_save.connect(names.check_name, sender=User)
        post_save.connect(names.keep_normal_form, sender=User)
        post_save.connect(mail_addresses.hold_address, sender=User)
        register(names.colliding_names, Tags.database)
        register(mail_addresses.colliding_addresses, Tags.database)
