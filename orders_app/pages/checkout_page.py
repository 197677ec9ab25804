"""The checkout: address, payment, and one order for one cart."""

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from orders_app.api.access import origin_of, user_id
from orders_app.document import OrderDocument
from orders_app.exceptions import IdempotencyKeyReused, OrderError, PriceChanged
from orders_app.pages.address_form import initial_address
from orders_app.pages.cart import Cart
from orders_app.pages.cart_lines import CartContent, read_cart
from orders_app.pages.checkout_form import CheckoutForm
from orders_app.selectors import find_placed_order, last_address_of
from orders_app.services.place_order import PLACEMENTS, ItemRequest, PlacementRequest
from web.log_fields import with_log_fields
from web.pages import signed_in_page


@signed_in_page
@sensitive_post_parameters("payment_token")
@require_http_methods(["GET", "HEAD", "POST"])
def checkout_page(request: HttpRequest) -> HttpResponse:
    """Show the form; a POST places the order."""
    cart = Cart(request.session)
    return _submit(request, cart) if request.method == "POST" else _begin(request, cart)


def _begin(request: HttpRequest, cart: Cart) -> HttpResponse:
    if cart.quantities and (placed := _find_placed(request, cart.order_key)):
        return _go_to(request, placed, cart, cart.order_key)
    content = read_cart(cart)
    if not content.lines or content.obstacles:
        return _back_to_cart(request, content)
    initial = initial_address(last_address_of(user_id(request.user)))
    return _show(request, cart, content, CheckoutForm(initial=initial))


def _submit(request: HttpRequest, cart: Cart) -> HttpResponse:
    """Place the order, or show why not. A form that was sent before leads to its order."""
    form = CheckoutForm(request.POST)
    is_valid = form.is_valid()
    key = form.cleaned_data.get("order_key", "")
    if placed := _find_placed(request, key):
        return _go_to(request, placed, cart, key)
    content = read_cart(cart)
    if not content.lines or content.obstacles:
        return _back_to_cart(request, content)
    if not is_valid:
        return _show(request, cart, content, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    if key != cart.order_key or form.cleaned_data["shown"] != content.digest:
        return _show_changed(request, cart, content, form)
    return _place(request, cart, content, form)


def _place(request: HttpRequest, cart: Cart, content: CartContent, form: CheckoutForm) -> HttpResponse:
    key = cart.order_key
    try:
        order = PLACEMENTS.call(_asked(request, key, content, form)).order
    except IdempotencyKeyReused:  # the same cart was sent at the same time with another address
        return redirect("shop:checkout")
    except PriceChanged:  # since the cart was read for this request
        return _show_changed(request, cart, read_cart(cart), form)
    except OrderError as refusal:
        form.add_error(None, str(refusal))
        return _show(request, cart, content, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _go_to(request, order, cart, key)


def _asked(request: HttpRequest, key: str, content: CartContent, form: CheckoutForm) -> PlacementRequest:
    return PlacementRequest(
        user_id=user_id(request.user),
        items=[ItemRequest(line.product_id, line.quantity) for line in content.lines],
        shipping_address=form.address,
        payment_method=form.cleaned_data["payment_method"],
        idempotency_key=_idempotency_key(key),
        origin=origin_of(request),
        payment_token=form.token,
        expected_total=content.total,
    )


def _idempotency_key(order_key: str) -> str:
    return f"checkout-{order_key}"


def _find_placed(request: HttpRequest, order_key: str) -> OrderDocument | None:
    """The order that the customer has placed with this key of a cart."""
    if not order_key:
        return None
    return find_placed_order(user_id(request.user), _idempotency_key(order_key))


def _go_to(request: HttpRequest, order: OrderDocument, cart: Cart, key: str) -> HttpResponse:
    """To the page of an order that is placed; its lines leave the cart."""
    if cart.take_out_ordered(order.items, key):
        sentence = gettext("Thank you. Your order %(number)s is placed.")
        messages.success(request, sentence % {"number": order.order_number})
    return with_log_fields(redirect("shop:order", order.order_number), order.log_fields)


def _back_to_cart(request: HttpRequest, content: CartContent) -> HttpResponse:
    """To the cart, which shows what cannot be ordered as it is."""
    if content.obstacles:
        messages.warning(
            request, gettext("Before you can order, please look at what has changed in your cart.")
        )
    return redirect("shop:cart")


def _show_changed(request: HttpRequest, cart: Cart, content: CartContent, form: CheckoutForm) -> HttpResponse:
    form.add_error(None, gettext("Your cart or a price has changed. Please look at the order once more."))
    return _show(request, cart, content, form, HTTPStatus.CONFLICT)


def _show(
    request: HttpRequest,
    cart: Cart,
    content: CartContent,
    form: CheckoutForm,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "form": form,
        "cart": content,
        "order_key": cart.order_key,
        "hold_minutes": settings.HOLD_MINUTES,
    }
    return render(request, "orders_app/checkout.html", context, status=status)
