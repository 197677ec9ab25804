"""The page of the cart: what is in it, and what it costs as of now."""

from http import HTTPStatus
from typing import NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from orders_app.api.shapes import MAXIMUM_ITEMS
from orders_app.pages.cart import MAX_QUANTITY, Cart, CartFull
from orders_app.pages.cart_lines import CartContent, Line, read_cart
from products_app.selectors import find_products_by_id
from web.pages import public_page


def _quantity(lowest: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=gettext_lazy("Quantity"),
        min_value=lowest,
        max_value=MAX_QUANTITY,
        widget=forms.NumberInput({"inputmode": "numeric", "autocomplete": "off"}),
    )


class AddForm(forms.Form):
    """A product to be put into the cart; the same `form_key` puts it there once."""

    product_id = forms.CharField(max_length=64)
    quantity = _quantity(1)
    form_key = forms.CharField(max_length=64, required=False)


class QuantityForm(forms.Form):
    """How many pieces of a line are wanted; 0 takes it out. `step` is from a button: one more or less."""

    quantity = _quantity(0)
    step = forms.IntegerField(min_value=-1, max_value=1, required=False)

    @property
    def wanted(self) -> int:
        """The quantity after the step; only of a valid form."""
        quantity: int = self.cleaned_data["quantity"] + (self.cleaned_data["step"] or 0)
        return quantity


class ShownLine(NamedTuple):
    """A line with its form."""

    line: Line
    form: QuantityForm


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def cart_page(request: HttpRequest) -> HttpResponse:
    """Show the cart; a POST puts a product into it."""
    return _add(request) if request.method == "POST" else _show(request)


@public_page
def change_line(request: HttpRequest, product_id: str) -> HttpResponse:
    """Have another quantity of a product in the cart, or take it out.

    Leads to the cart where nothing is sent, as after signing in on a page with an error, and where the cart
    has no such product.
    """
    if request.method != "POST" or product_id not in Cart(request.session).quantities:
        return redirect("shop:cart")
    form = QuantityForm(request.POST, auto_id=f"{product_id}-%s")
    is_unwanted = "remove" in request.POST
    if not is_unwanted and not form.is_valid():
        form.fields["quantity"].widget.attrs["autofocus"] = True
        return _show(request, {product_id: form}, HTTPStatus.UNPROCESSABLE_ENTITY)
    Cart(request.session).change(product_id, 0 if is_unwanted else form.wanted)
    return redirect(f"{reverse('shop:cart')}#line-{product_id}")


def _show(
    request: HttpRequest,
    sent: dict[str, QuantityForm] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    content = read_cart(Cart(request.session))
    context = {"cart": content, "lines": _shown_lines(content, sent or {})}
    return render(request, "orders_app/cart.html", context, status=status)


def _shown_lines(content: CartContent, sent: dict[str, QuantityForm]) -> list[ShownLine]:
    return [ShownLine(line, sent.get(line.product_id) or _form_of(line)) for line in content.lines]


def _form_of(line: Line) -> QuantityForm:
    return QuantityForm(initial={"quantity": line.quantity}, auto_id=f"{line.product_id}-%s")


def _add(request: HttpRequest) -> HttpResponse:
    form = AddForm(request.POST)
    if form.is_valid():
        level, sentence = _put_into_cart(request, form)
    else:
        level, sentence = messages.ERROR, _fault(form)
    messages.add_message(request, level, sentence)
    return redirect("shop:cart")


def _put_into_cart(request: HttpRequest, form: AddForm) -> tuple[int, str]:
    """Add the product of a valid form; the level and the sentence of the message that tells it."""
    product_id, quantity = form.cleaned_data["product_id"], form.cleaned_data["quantity"]
    product = find_products_by_id([product_id]).get(product_id.lower())
    if product is None or not product.is_active:
        return messages.ERROR, gettext("This product is not sold any more.")
    if not product.in_stock:
        return messages.ERROR, gettext("%(name)s is sold out.") % {"name": product.name}
    key, price = form.cleaned_data["form_key"], str(product.price)
    try:
        Cart(request.session).add(product.id, quantity=quantity, price=price, form_key=key)
    except CartFull:
        sentence = gettext("A cart has at most %(limit)s different products.")
        return messages.ERROR, sentence % {"limit": MAXIMUM_ITEMS}
    sentence = ngettext(
        "%(name)s is in your cart.", "%(quantity)s pieces of %(name)s are in your cart.", quantity
    )
    return messages.SUCCESS, sentence % {"name": product.name, "quantity": quantity}


def _fault(form: forms.Form) -> str:
    """The first fault of the form, as a sentence without its field."""
    return str(next(iter(form.errors.values()))[0])
