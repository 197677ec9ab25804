"""The form of the checkout: where the order goes, how it is paid, and which cart it is about."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from orders_app.pages.address_form import AddressForm
from orders_app.pages.payment_choice import PaymentForm
from orders_app.services.payment_gateway import has_payment_gateway
from orders_app.state_machine import PaymentMethod
from orders_app.state_words import METHOD_WORDS


class CheckoutForm(AddressForm, PaymentForm):
    """What a customer enters to place an order.

    `order_key` is that of the cart: the same form sent again is the same order. `shown` is the digest of the
    content that the page showed.
    """

    may_pay_later = True
    payment_method = forms.TypedChoiceField(
        label=gettext_lazy("Payment method"),
        coerce=lambda value: PaymentMethod(int(value)),
        widget=forms.RadioSelect,
    )
    order_key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    shown = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        methods = METHOD_WORDS if has_payment_gateway() else (PaymentMethod.CASH_ON_DELIVERY,)
        choices = [(method.value, METHOD_WORDS[method]) for method in methods]
        field = self.fields["payment_method"]
        field.choices, field.initial = choices, choices[0][0]  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Errors of the card do not count where the order is paid on delivery."""
        super().clean()
        if self.is_on_delivery:
            for name in ("card", "payment_token"):
                self.errors.pop(name, None)

    @property
    def is_on_delivery(self) -> bool:
        """Whether the order is paid on delivery."""
        return self.cleaned_data.get("payment_method") == PaymentMethod.CASH_ON_DELIVERY

    @property
    def token(self) -> str:
        """The token to pay by; empty where the order is paid later or on delivery. Only of a valid form."""
        return "" if self.is_on_delivery else super().token
