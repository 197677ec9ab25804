"""The form of a shipping address; its rules are those of the API."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy
from msgspec import structs

from orders_app.api.shapes import ONE_LINE
from orders_app.document import ShippingAddress

_one_line = RegexValidator(ONE_LINE, gettext_lazy("This has to be one line without control characters."))


class AddressForm(forms.Form):
    """Where an order goes."""

    street = forms.CharField(
        label=gettext_lazy("Street and number"),
        max_length=200,
        validators=[_one_line],
        widget=forms.TextInput({"autocomplete": "address-line1"}),
    )
    zip_code = forms.CharField(
        label=gettext_lazy("Postal code"),
        max_length=20,
        required=False,
        validators=[_one_line],
        widget=forms.TextInput({"autocomplete": "postal-code"}),
    )
    city = forms.CharField(
        label=gettext_lazy("City"),
        max_length=100,
        validators=[_one_line],
        widget=forms.TextInput({"autocomplete": "address-level2"}),
    )
    state = forms.CharField(
        label=gettext_lazy("State or region"),
        max_length=100,
        required=False,
        validators=[_one_line],
        widget=forms.TextInput({"autocomplete": "address-level1"}),
    )
    country = forms.CharField(
        label=gettext_lazy("Country"),
        max_length=100,
        validators=[_one_line],
        widget=forms.TextInput({"autocomplete": "country-name"}),
    )

    @property
    def address(self) -> ShippingAddress:
        """The address that was entered; only of a valid form."""
        return ShippingAddress(
            **{name: self.cleaned_data[name] for name in ShippingAddress.__struct_fields__}
        )


def initial_address(address: ShippingAddress | None) -> dict[str, Any]:
    """The initial values of the form for this address."""
    return structs.asdict(address) if address else {}
