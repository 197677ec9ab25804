"""The forms of products in the admin. Their values are checked by the serializer of the API."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from products_app.api.serializers import MAX_STOCK, ProductSerializer
from products_app.documents.reading import Product
from products_app.services.catalogue import ProductFields

MAX_REASON = 500


def _text(label: Any, help_text: Any = "", required: bool = False, **attributes: str) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs=attributes)
    return forms.CharField(
        required=required, label=label, help_text=help_text, widget=widget, show_hidden_initial=True
    )


def _number(label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        label=label,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
        show_hidden_initial=True,
    )


class ProductForm(forms.Form):
    """The fields of a product, by their names in the API; its stock moves by receipts and adjustments.

    The page keeps what it has shown in hidden fields: only what its user has changed is set.
    """

    name = _text(gettext_lazy("Name"), required=True, maxlength="200")
    sku = _text(
        gettext_lazy("SKU"), gettext_lazy("The number of the article; no two products have the same.")
    )
    price = _text(gettext_lazy("Price"), required=True, inputmode="decimal")
    isActive = forms.BooleanField(  # noqa: N815
        required=False,
        label=gettext_lazy("For sale"),
        widget=UnfoldBooleanSwitchWidget,
        show_hidden_initial=True,
    )
    lowStockAt = _number(  # noqa: N815
        gettext_lazy("Low below"),
        gettext_lazy("With fewer pieces in stock than this, the stock is low. 0: never."),
    )
    category = _text(gettext_lazy("Category"))
    brand = _text(gettext_lazy("Brand"))
    tags = _text(gettext_lazy("Tags"), gettext_lazy("With commas between them."))
    imageUrl = _text(gettext_lazy("Address of the picture"))  # noqa: N815
    description = forms.CharField(
        required=False,
        label=gettext_lazy("Description"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        show_hidden_initial=True,
    )

    product_fields: ProductFields
    """All fields, for the service."""

    @property
    def changes(self) -> ProductFields:
        """The fields that the user has changed, for the service."""
        sources = {name: field.source for name, field in ProductSerializer().fields.items()}
        changed = {sources[name] for name in self.changed_data}
        return cast(
            "ProductFields", {name: value for name, value in self.product_fields.items() if name in changed}
        )

    def changed_by_others(self, product: Product) -> list[str]:
        """The fields that the user has changed, and that are not any more as the page has shown them."""
        now = initial_of(product)
        return [
            name for name in self.changed_data if self.fields[name].has_changed(self._shown(name), now[name])
        ]

    def _shown(self, name: str) -> Any:
        bound = self[name]
        widget = bound.field.hidden_widget()
        return bound.field.to_python(
            widget.value_from_datadict(self.data, self.files, bound.html_initial_name)
        )

    def clean(self) -> dict[str, Any]:
        """The fields for the service; the errors of the API's shape beside their fields."""
        given: dict[str, Any] = super().clean() or {}
        tags = [tag.strip() for tag in given.get("tags", "").split(",") if tag.strip()]
        body = {name: value for name, value in given.items() if value is not None} | {"tags": tags}
        shape = ProductSerializer(data=body)
        if shape.is_valid():
            self.product_fields = shape.validated_data
        else:
            self._add_errors(shape.errors)
        return given

    def _add_errors(self, errors: Mapping[str, Any]) -> None:
        """Add the errors of fields without one: a field that is no number has one, and the body lacks it."""
        for name, problems in errors.items():
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, _sentences(problems))


class NewProductForm(ProductForm):
    """The fields of a new product, with the pieces that it begins with."""

    stock = _number(gettext_lazy("Pieces in stock"), gettext_lazy("They become its first movement."))
    field_order = ("name", "sku", "price", "stock", "lowStockAt", "isActive")


class StockForm(forms.Form):
    """Pieces and a reason; `key` makes a page that is sent twice one movement."""

    quantity = forms.IntegerField(
        min_value=1,
        max_value=MAX_STOCK,
        label=gettext_lazy("Pieces"),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.CharField(
        max_length=MAX_REASON, label=gettext_lazy("Reason"), widget=UnfoldAdminTextInputWidget
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class ReceiveForm(StockForm):
    """A delivery."""


class AdjustForm(StockForm):
    """Pieces that are more or fewer than was thought."""

    quantity = forms.IntegerField(
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        label=gettext_lazy("Pieces more or fewer"),
        help_text=gettext_lazy("-2: two are missing; 3: three were found."),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def clean_quantity(self) -> int:
        """Not 0, which would change nothing."""
        quantity: int = self.cleaned_data["quantity"]
        if not quantity:
            raise forms.ValidationError(_("0 changes nothing."))
        return quantity


def initial_of(product: Product) -> dict[str, Any]:
    """The values of a product that the form shows."""
    return {
        "name": product.name,
        "sku": product.sku,
        "price": product.price,
        "isActive": product.is_active,
        "lowStockAt": product.low_stock_at,
        "category": product.category,
        "brand": product.brand,
        "tags": ", ".join(product.tags),
        "imageUrl": product.image_url,
        "description": product.description,
    }


def _sentences(problems: Any) -> list[str]:
    """The sentences of a field of the shape; a list has them by position."""
    parts = problems.values() if isinstance(problems, dict) else [problems]
    return [str(sentence) for part in parts for sentence in part]
