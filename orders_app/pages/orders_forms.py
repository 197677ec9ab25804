"""The forms on the page of an order."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from orders_app.document import OrderDocument
from orders_app.pages.payment_choice import PaymentForm

MAX_REASON = 500


class CancelForm(forms.Form):
    """Why the order is cancelled, in the words of its customer."""

    reason = forms.CharField(
        label=gettext_lazy("Why do you cancel?"),
        max_length=MAX_REASON,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )


class PayForm(PaymentForm):
    """How the order is paid; `attempt` is the number of attempts before, so that a form counts once."""

    attempt = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, order: OrderDocument, data: Any = None) -> None:
        super().__init__(data, auto_id="pay_%s", initial={"attempt": order.payment_attempts})
