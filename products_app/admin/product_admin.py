"""The entry of products and stock in the admin, and the permission that each of their pages needs.

The products are documents in MongoDB. Their pages are views of our own with the look of the admin: they read
by selectors and change by services, as the API does.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from products_app.admin import product_list, product_pages, stock_page
from products_app.admin.page import answering_refusals
from products_app.models import Product


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    """Lists, shows and changes products, each for users with the permission."""

    def get_urls(self) -> list[URLPattern]:
        """The pages of Django's own admin, and those of the stock and of the list as a table."""
        own = [
            ("export/", self.export_view, "export"),
            ("<str:object_id>/stock/", self.stock_view, "stock"),
        ]
        pages = [
            path(route, self.admin_site.admin_view(view), name=f"products_app_product_{name}")
            for route, view, name in own
        ]
        return [*pages, *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> None:
        """Always None: a product is no row, and none of Django's own pages shows one."""

    @answering_refusals
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list with its search and filters."""
        self._require(self.has_view_permission(request))
        return product_list.show_list(self, request)

    @answering_refusals
    def export_view(self, request: HttpRequest) -> Any:
        """The products that the filters find, as a table."""
        self._require(self.has_view_permission(request))
        return product_list.export_list(request)

    @answering_refusals
    def stock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The stock of one product with its movements; a POST receives or adjusts."""
        self._require(self.has_view_permission(request))
        return stock_page.show_stock(self, request, object_id)

    @answering_refusals
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The form for a new product."""
        self._require(self.has_add_permission(request))
        return product_pages.add_product(self, request)

    @answering_refusals
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form with the fields of a product, its stock excepted."""
        self._require(self.has_change_permission(request))
        return product_pages.edit_product(self, request, unquote(object_id))

    @answering_refusals
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask for confirmation, then delete."""
        self._require(self.has_delete_permission(request))
        return product_pages.delete_product_page(self, request, unquote(object_id))

    def _require(self, allowed: bool) -> None:
        if not allowed:
            raise PermissionDenied
