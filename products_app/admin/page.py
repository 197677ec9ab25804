"""What the pages of products in the admin share: their context, their refusals, the audit trail."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import InvalidPage, Page
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from products_app.exceptions import CatalogueUnavailable, ProductNotFound, ProductUnreadable
from products_app.models import Product
from web.pagination import BoundedPaginator

View = Callable[..., HttpResponse]


def answering_refusals(view: View) -> View:
    """A view of the admin of products; what cannot be shown is answered by a page that says why."""

    @wraps(view)
    def page(admin: ModelAdmin, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(admin, request, *args, **kwargs)
        except ProductNotFound as refusal:
            raise Http404(str(refusal)) from refusal
        except ProductUnreadable as refusal:
            return _problem(admin, request, str(refusal), HTTPStatus.CONFLICT, is_repairable=True)
        except CatalogueUnavailable as refusal:
            return _problem(admin, request, str(refusal), HTTPStatus.SERVICE_UNAVAILABLE)

    return page


def show(
    admin: ModelAdmin,
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """A page of the admin of products."""
    request.current_app = admin.admin_site.name
    common = admin.admin_site.each_context(request) | {"opts": admin.opts, "currency": settings.CURRENCY}
    rights = {
        "may_edit": admin.has_change_permission(request),
        "may_add": admin.has_add_permission(request),
        "may_delete": admin.has_delete_permission(request),
    }
    template = f"admin/products_app/product/{template}"
    return TemplateResponse(request, template, common | rights | context, status=status)


def status_of(form: forms.Form) -> int:
    """The status of a page with this form: 422 where what was sent is refused."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and form.errors else HTTPStatus.OK


def page_of(rows: Any, request: HttpRequest, size: int) -> Page[Any]:
    """The page `?p=` of these rows; the first one where there is no such page."""
    pages = BoundedPaginator(rows, size)
    try:
        return pages.page(request.GET.get("p") or 1)
    except InvalidPage:
        return pages.page(1)


def new_key() -> str:
    """A key that makes a form that is sent twice one piece of work."""
    return uuid4().hex


def record(request: HttpRequest, product_id: str, name: str, flag: int, sentence: str = "") -> None:
    """Write the audit trail, which Django writes by itself only for rows of a table."""
    LogEntry.objects.create(
        user=cast("User", request.user),
        content_type=ContentType.objects.get_for_model(Product),
        object_id=product_id,
        object_repr=name,
        action_flag=flag,
        change_message=sentence,
    )


def focus_first_error(form: forms.Form) -> None:
    """Have the browser put the cursor into the first field with an error."""
    for name in form.fields:
        if name in form.errors:
            form.fields[name].widget.attrs["autofocus"] = True
            return


def _problem(
    admin: ModelAdmin, request: HttpRequest, sentence: str, status: HTTPStatus, *, is_repairable: bool = False
) -> HttpResponse:
    context = {"title": _("Products and stock"), "sentence": sentence, "is_repairable": is_repairable}
    return show(admin, request, "problem.html", context, status)
