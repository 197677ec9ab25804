"""Redactions in the admin: whose personal data was erased, when, by whom, and in which tables."""

from typing import ClassVar

from django.contrib import admin

from orders_app.models import Redaction
from web.read_only_admin import ReadOnlyAdmin


@admin.register(Redaction)
class RedactionAdmin(ReadOnlyAdmin):
    """Lists redactions, newest first; `manage.py customer erase` makes them."""

    list_display: ClassVar = ["id", "user_id", "requested_by", "begun_at", "ended_at"]
    list_per_page = 50
    fields: ClassVar = ["user_id", "requested_by", "begun_at", "ended_at", "replaced"]
