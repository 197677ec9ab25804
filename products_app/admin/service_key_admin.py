"""The admin of service keys: create, rotate, revoke.

A new key's secret is shown on one page, once, and stored nowhere.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from rest_framework_api_key.models import APIKey
from unfold.admin import ModelAdmin
from unfold.decorators import display

from products_app.exceptions import RotatedBefore
from products_app.models import ServiceKey

admin.site.unregister(APIKey)  # no endpoint accepts the library's own keys


@admin.register(ServiceKey)
class ServiceKeyAdmin(ModelAdmin):
    """Service keys; the name and rights of a key cannot be changed, its expiry can."""

    list_display: ClassVar = [
        "name",
        "prefix",
        "rights",
        "state",
        "created",
        "expiry_date",
    ]
    list_filter: ClassVar = ["revoked", "expiry_date"]
    search_fields: ClassVar = ["name", "prefix"]
    fields: ClassVar = ["name", "prefix", "may_reserve", "may_release", "expiry_date", "revoked"]
    actions: ClassVar = ["rotate", "revoke"]

    @display(description="May")
    def rights(self, key: ServiceKey) -> str:
        """What the key allows."""
        allowed = {"take stock": key.may_reserve, "give it back": key.may_release}
        return " and ".join(name for name, is_allowed in allowed.items() if is_allowed) or "nothing"

    @display(
        description="State", label={"valid": "success", "ends": "warning", "expired": "", "revoked": "danger"}
    )
    def state(self, key: ServiceKey) -> tuple[str, str]:
        """Whether the key is valid; one that ends has an expiry."""
        if key.revoked:
            return "revoked", "Revoked"
        if key.has_expired:
            return "expired", "Expired"
        return ("ends", "Valid until it expires") if key.expiry_date else ("valid", "Valid")

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceKey | None = None) -> list[str]:
        """All fields of a revoked key; of a new key the prefix, which is generated."""
        if obj is None:
            return ["prefix"]
        return list(self.fields) if obj.revoked else ["name", "prefix", "may_reserve", "may_release"]

    def save_model(
        self, request: HttpRequest, obj: ServiceKey, form: "forms.ModelForm[Any]", change: bool
    ) -> None:
        """Store the key; the secret of a new key is kept on the request for `response_add`."""
        if not change:
            request.new_secret = ServiceKey.objects.assign_key(obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ServiceKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The page with the secret; not a Django message, because those are stored in a cookie."""
        return self.show_secret(request, obj, request.new_secret)  # type: ignore[attr-defined]

    @admin.action(description="Rotate: a new key now, this one ends in a day", permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ServiceKey]) -> HttpResponse | None:
        """Create a successor of the one selected key and show its secret."""
        keys = list(queryset[:2])
        if len(keys) != 1 or keys[0].revoked or keys[0].has_expired:
            self.message_user(request, "Choose one key that is still valid.", messages.ERROR)
            return None
        try:
            successor, secret = keys[0].rotate()
        except RotatedBefore as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return None
        self.log_change(request, keys[0], f"Rotated: {successor.prefix} follows, this one ends in a day.")
        self.log_addition(request, successor, f"Made as the successor of {keys[0].prefix}.")
        return self.show_secret(request, successor, secret)

    @admin.action(description="Revoke, for good", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ServiceKey]) -> None:
        """Revoke these keys at once."""
        for key in queryset.filter(revoked=False):
            key.revoked = True
            key.save(update_fields=["revoked"])
            self.log_change(request, key, "Revoked.")
            self.message_user(request, f"{key.name} ({key.prefix}) is revoked.")

    def show_secret(self, request: HttpRequest, key: ServiceKey, secret: str) -> HttpResponse:
        """The only page that shows the secret."""
        context = self.admin_site.each_context(request) | {
            "title": f"The key of {key.name}",
            "opts": self.opts,
            "secret": secret,
        }
        page = TemplateResponse(request, "admin/products_app/servicekey/secret.html", context)
        add_never_cache_headers(page)
        return page
