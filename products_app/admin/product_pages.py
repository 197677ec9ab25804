"""The pages on which products are added, edited and deleted in the admin."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from products_app.admin.page import focus_first_error, record, show, status_of
from products_app.admin.product_forms import NewProductForm, ProductForm, initial_of
from products_app.api.stock_work import actor_of
from products_app.documents.reading import Product
from products_app.exceptions import ProductChanged, ProductHeld, SkuTaken
from products_app.selectors import get_product
from products_app.services.catalogue import create_product, delete_product, update_product

LIST = "admin:products_app_product_changelist"
STOCK = "admin:products_app_product_stock"
ATTEMPTS = 5
"""So often a change is tried again because something else of the product changed meanwhile: its stock."""


def add_product(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The form for a new product, or its page once it is there."""
    form = NewProductForm(request.POST or None, initial={"isActive": True, "stock": 0, "lowStockAt": 0})
    product = _create(form, request) if form.is_valid() else None
    if product:
        record(request, product.id, product.name, ADDITION)
        messages.success(request, _("%(name)s is in the catalogue.") % {"name": product.name})
        return redirect(STOCK, product.id)
    focus_first_error(form)
    context = {"title": _("Add a product"), "form": form}
    return show(admin, request, "edit.html", context, status_of(form))


def _create(form: NewProductForm, request: HttpRequest) -> Product | None:
    try:
        return create_product(actor=actor_of(request), **form.product_fields)
    except SkuTaken as refusal:
        form.add_error("sku", str(refusal))
        return None


def edit_product(admin: ModelAdmin, request: HttpRequest, product_id: str) -> HttpResponse:
    """The form with the fields of a product; a POST sets those that were changed in it."""
    product = _get(product_id)
    form = ProductForm(request.POST or None, initial=initial_of(product))
    if form.is_valid() and _save(form, request, product):
        _tell(form, request, product)
        return redirect(STOCK, product.id)
    focus_first_error(form)
    context = _context(product, "edit") | {"form": form}
    return show(admin, request, "edit.html", context, status_of(form))


def _tell(form: ProductForm, request: HttpRequest, product: Product) -> None:
    if not form.changed_data:
        messages.info(request, _("Nothing was changed."))
        return
    changed = ", ".join(str(form.fields[name].label) for name in form.changed_data)
    sentence = _("Changed: %(fields)s.") % {"fields": changed}
    record(request, product.id, product.name, CHANGE, sentence)
    messages.success(request, f"{product.name}. {sentence}")


def _save(form: ProductForm, request: HttpRequest, product: Product) -> bool:
    """Set what was changed; whether it was done, else the form says why not."""
    for _attempt in range(ATTEMPTS):
        for name in form.changed_by_others(product):
            now = initial_of(product)[name]
            form.add_error(name, _("Somebody else has set this meanwhile: %(value)s") % {"value": now})
        if form.errors or not form.changes:
            return not form.errors
        try:
            _update(form, request, product)
        except ProductChanged:
            product = _get(product.id)
        except SkuTaken as refusal:
            form.add_error("sku", str(refusal))
        else:
            return True
    form.add_error(None, _("The product changes too fast just now. Please try again."))
    return False


def _update(form: ProductForm, request: HttpRequest, product: Product) -> None:
    """Raises SkuTaken, and ProductChanged where the product is not any more as it was read."""
    update_product(
        product_id=product.id,
        precondition=lambda revision: revision == product.revision,
        actor=actor_of(request),
        **form.changes,
    )


def delete_product_page(admin: ModelAdmin, request: HttpRequest, product_id: str) -> HttpResponse:
    """Ask for confirmation; a POST deletes the product, unless orders hold pieces of it."""
    product = _get(product_id)
    if request.method == "POST":
        try:
            delete_product(product_id=product.id)
        except ProductHeld as refusal:
            messages.error(request, str(refusal))
            return redirect(STOCK, product.id)
        record(request, product.id, product.name, DELETION)
        messages.success(request, _("%(name)s is deleted.") % {"name": product.name})
        return redirect(LIST)
    return show(admin, request, "delete.html", _context(product, "edit"))


def _get(product_id: str) -> Product:
    """The product, also one that is not for sale. Raises ProductNotFound and ProductUnreadable."""
    return get_product(product_id=product_id, include_inactive=True)


def _context(product: Product, tab: str) -> dict[str, Any]:
    return {"title": product.name, "product": product, "tab": tab}
