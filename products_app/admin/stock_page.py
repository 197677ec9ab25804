"""The stock of one product in the admin: its counts, receiving, adjusting, and its movements."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from products_app.admin.page import focus_first_error, new_key, page_of, show, status_of
from products_app.admin.product_forms import AdjustForm, ReceiveForm, StockForm
from products_app.api.stock_work import actor_of
from products_app.documents.movements import Movement
from products_app.documents.reading import Product
from products_app.exceptions import IdempotencyKeyReused, InsufficientStock, StockTooHigh
from products_app.models import ADJUST_STOCK, RECEIVE_STOCK
from products_app.models import Product as ProductEntry
from products_app.selectors import get_product
from products_app.services.stock.movements import STOCK_SERVICE
from products_app.services.stock.stock_work import adjust_stock, receive_stock
from products_app.stock_selectors import MovementsOf, find_actor_names, stock_counts_of
from web.audit_trail import DoneWork, record_once

MOVEMENTS_ON_A_PAGE = 25
KINDS = {
    "initial": gettext_lazy("First stock"),
    "receipt": gettext_lazy("Delivery"),
    "adjustment": gettext_lazy("Adjustment"),
    "correction": gettext_lazy("Set to a value"),
}


class Work(NamedTuple):
    """A kind of stock work: its form, its service, the permission for it, and the sentence afterwards."""

    form: type[StockForm]
    service: Callable[..., Movement]
    permission: str
    done: Any


WORK = {
    "receive": Work(
        ReceiveForm,
        receive_stock,
        RECEIVE_STOCK,
        gettext_lazy("%(quantity)+d received: %(stock)d in stock now."),
    ),
    "adjust": Work(
        AdjustForm,
        adjust_stock,
        ADJUST_STOCK,
        gettext_lazy("Adjusted by %(quantity)+d: %(stock)d in stock now."),
    ),
}


def show_stock(admin: ModelAdmin, request: HttpRequest, product_id: str) -> HttpResponse:
    """The page; a POST receives or adjusts, and shows the page again.

    Raises ProductNotFound, ProductUnreadable, CatalogueUnavailable and PermissionDenied.
    """
    product = get_product(product_id=product_id, include_inactive=True)
    forms_by_name = {
        name: _form(name, request) for name in WORK if request.user.has_perm(WORK[name].permission)
    }
    sent = request.POST.get("work", "")
    if request.method == "POST":
        if sent not in forms_by_name:
            raise PermissionDenied
        if forms_by_name[sent].is_valid() and _do(sent, forms_by_name[sent], request, product.id):
            return redirect("admin:products_app_product_stock", product.id)
        focus_first_error(forms_by_name[sent])
    context = _context(request, product) | {"forms": forms_by_name}
    status = max((status_of(form) for form in forms_by_name.values()), default=200)
    return show(admin, request, "stock.html", context, status)


def _form(name: str, request: HttpRequest) -> StockForm:
    sent = request.POST if request.POST.get("work") == name else None
    return WORK[name].form(sent, prefix=name, initial={"key": new_key()})


def _do(name: str, form: StockForm, request: HttpRequest, product_id: str) -> bool:
    """Move the stock; whether it was done, else the form says why not."""
    given = form.cleaned_data
    try:
        movement = WORK[name].service(
            product_id=product_id,
            quantity=given["quantity"],
            reason=given["reason"],
            actor=actor_of(request),
            idempotency_key=f"admin-{given['key']}",
        )
    except IdempotencyKeyReused:
        form.add_error(None, _("This page was sent before with other values. Open it again."))
        return False
    except InsufficientStock as refusal:
        form.add_error("quantity", _not_so_many(refusal))
        return False
    except StockTooHigh as refusal:
        form.add_error("quantity", str(refusal))
        return False
    _tell(WORK[name], request, movement)
    return True


def _not_so_many(refusal: InsufficientStock) -> str:
    sentence = _("%(stock)d are in stock. What orders hold cannot be taken away.")
    return sentence % {"stock": refusal.available}


def _tell(work: Work, request: HttpRequest, movement: Movement) -> None:
    sentence = work.done % {"quantity": movement["quantity"], "stock": movement["stock"]}
    done = DoneWork(
        model=ProductEntry,
        object_id=movement["product"],
        name=movement["productName"],
        sentence=f"{sentence} {movement['reason']}",
        at=movement["at"],
    )
    record_once(request, done)
    messages.success(request, sentence)


def _actor(actor: str) -> str:
    """An actor without a name: the system itself, a service, or a user who was deleted."""
    return _("The system") if actor == STOCK_SERVICE else actor


def _context(request: HttpRequest, product: Product) -> dict[str, Any]:
    page = page_of(MovementsOf(product.id), request, MOVEMENTS_ON_A_PAGE)
    names = find_actor_names(page.object_list)
    movements = [
        {
            "movement": each,
            "kind": KINDS.get(each.kind, each.kind),
            "by": names.get(each.actor) or _actor(each.actor),
        }
        for each in page.object_list
    ]
    return {
        "title": product.name,
        "product": product,
        "counts": stock_counts_of(product),
        "tab": "stock",
        "page": page,
        "movements": movements,
    }
