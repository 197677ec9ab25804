"""How the parts are put together, as a Django app."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Pages and commands that belong to no other app."""

    name = "config"
    verbose_name = "System"

    def ready(self) -> None:
        """Register the system checks."""
        from config import checks  # noqa: F401, PLC0415 - registering is what importing does
