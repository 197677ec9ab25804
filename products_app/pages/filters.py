"""The form above the products of the shop: filters, and the order of the products."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy

from foundation.currencies import decimals_of
from products_app.documents.reading import PRICE_DIGITS
from products_app.selectors import ProductCriteria

LONGEST_SEARCH = 200
ORDERINGS = [
    ("", gettext_lazy("Newest first")),
    ("price", gettext_lazy("Price, lowest first")),
    ("-price", gettext_lazy("Price, highest first")),
    ("name", gettext_lazy("Name")),
]


def _price_field(label: Any) -> forms.DecimalField:
    decimals = decimals_of(settings.CURRENCY)
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=0,
        max_digits=PRICE_DIGITS + decimals,
        decimal_places=decimals,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class CatalogueFilters(forms.Form):
    """The filters of the shop; all are optional."""

    search = forms.CharField(
        label=gettext_lazy("Search the shop"),
        required=False,
        max_length=LONGEST_SEARCH,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    category = forms.CharField(required=False, widget=forms.HiddenInput)
    in_stock = forms.BooleanField(label=gettext_lazy("In stock"), required=False)
    ordering = forms.ChoiceField(label=gettext_lazy("Sort by"), required=False, choices=ORDERINGS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["min_price"] = _price_field(gettext_lazy("Price from"))
        self.fields["max_price"] = _price_field(gettext_lazy("Price to"))
        if self.data.get("search"):
            cast("Any", self.fields["ordering"]).choices = [("", gettext_lazy("Best match")), *ORDERINGS[1:]]

    @property
    def criteria(self) -> ProductCriteria:
        """The filters that are set and readable."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", False)}
        return cast("ProductCriteria", given)
