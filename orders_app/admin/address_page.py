"""The page on which staff change where an order goes, while it is Pending."""

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from orders_app.admin.origins import origin_of
from orders_app.document import ShippingAddress
from orders_app.exceptions import OrderError
from orders_app.models import Order
from orders_app.selectors import get_document
from orders_app.services.change_order import update_order

ADDRESS_FIELDS = ShippingAddress.__struct_fields__
ONE_LINE = _("This has to be one line without control characters.")


def show_address_page(admin: ModelAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """Ask for the address, or change it and go back to the order."""
    document = get_document(order.pk)
    form = _form(admin, request, document.shipping_address)
    if form.is_valid() and _save(request, order, form):
        admin.log_change(request, order, "The shipping address was changed.")
        messages.success(request, gettext("The shipping address was changed."))
        return redirect("admin:orders_app_order_change", order.pk)
    context = admin.admin_site.each_context(request) | {
        "title": gettext("Shipping address of %(number)s") % {"number": order.order_number},
        "opts": admin.opts,
        "form": form,
        "order": order,
    }
    status = 400 if form.is_bound else 200
    return TemplateResponse(request, "admin/orders_app/order/address.html", context, status=status)


def require_one_line(text: str) -> None:
    """Raises ValidationError for text with line breaks or control characters."""
    if not text.isprintable():
        raise forms.ValidationError(ONE_LINE)


def _form(admin: ModelAdmin, request: HttpRequest, address: ShippingAddress) -> forms.Form:
    """The form with the fields of the order's columns, in the look of the admin."""
    form = forms.Form(
        request.POST if request.method == "POST" else None, initial=msgspec.structs.asdict(address)
    )
    for name in ADDRESS_FIELDS:
        field = admin.formfield_for_dbfield(Order._meta.get_field(name), request)  # noqa: SLF001 - documented
        assert isinstance(field, forms.CharField)
        field.validators.append(require_one_line)
        form.fields[name] = field
    return form


def _save(request: HttpRequest, order: Order, form: forms.Form) -> bool:
    """Change the address; whether it was taken, else the form says why not."""
    address = ShippingAddress(**{name: form.cleaned_data[name] for name in ADDRESS_FIELDS})
    try:
        update_order(order_id=order.pk, shipping_address=address, origin=origin_of(request))
    except OrderError as refusal:
        form.add_error(None, str(refusal))
    return not form.errors
