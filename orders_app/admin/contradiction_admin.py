"""Contradictions about stock in the admin: what was told about which order, and what was done about it."""

from typing import ClassVar

from django.contrib import admin

from orders_app.models import StockContradiction
from web.read_only_admin import ReadOnlyAdmin


@admin.register(StockContradiction)
class StockContradictionAdmin(ReadOnlyAdmin):
    """Lists contradictions, newest first; those left to people are an outcome to filter by."""

    list_display: ClassVar = ["created_at", "order_number", "kind", "outcome", "told", "order_says"]
    list_filter: ClassVar = ["outcome", "kind", "created_at"]
    list_per_page = 50
    search_fields: ClassVar = ["order_number", "message_id"]
    fields: ClassVar = [
        "created_at",
        "order_number",
        "order_id",
        "kind",
        "outcome",
        "message_id",
        "told",
        "order_says",
    ]
