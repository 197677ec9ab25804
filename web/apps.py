"""The web edge as a Django app: it registers the audit trail in the admin."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The HTTP machinery that all apps share."""

    name = "web"
    verbose_name = "Audit trail"
