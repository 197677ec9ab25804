# ruff: noqa: N815  # the names of the fields are the names in JSON
"""Shapes of the catalogue's routes: a product has many fields, and all that are wrong are named at once."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers

from foundation.currencies import decimals_of
from products_app.documents.reading import MAX_NAME, PRICE_DIGITS, Product

MAX_STOCK = 1_000_000_000
ORDERINGS = {"price": "price", "name": "name", "stock": "stock", "createdAt": "created_at"}


class PriceField(serializers.DecimalField):
    """An amount with the decimals of the installation's currency, not negative."""

    def __init__(self, **kwargs: Any) -> None:
        decimals = decimals_of(settings.CURRENCY)
        super().__init__(
            max_digits=PRICE_DIGITS + decimals, decimal_places=decimals, min_value=Decimal(0), **kwargs
        )


class ProductSerializer(serializers.Serializer[Product]):
    """A product. An optional field that is left out keeps its value."""

    id = serializers.CharField(read_only=True)
    name = serializers.CharField(max_length=MAX_NAME)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    price = PriceField()
    category = serializers.CharField(required=False, allow_blank=True, max_length=100)
    stock = serializers.IntegerField(required=False, min_value=0, max_value=MAX_STOCK)
    inStock = serializers.BooleanField(source="in_stock", read_only=True)
    lowStockAt = serializers.IntegerField(
        source="low_stock_at",
        required=False,
        min_value=0,
        max_value=MAX_STOCK,
        help_text="Fewer pieces than this are a low stock; 0: never.",
    )
    lowStock = serializers.BooleanField(source="low_stock", read_only=True)
    imageUrl = serializers.RegexField(
        r"^(https?://|/)[^\x00-\x1f\x7f]*$",
        source="image_url",
        required=False,
        allow_blank=True,
        max_length=2_000,
        error_messages={"invalid": "Enter one line that begins with https://, http:// or /."},
    )
    sku = serializers.CharField(required=False, allow_blank=True, max_length=100)
    brand = serializers.CharField(required=False, allow_blank=True, max_length=100)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=50)
    isActive = serializers.BooleanField(source="is_active", required=False)
    createdAt = serializers.DateTimeField(source="created", read_only=True)
    updatedAt = serializers.DateTimeField(source="updated", read_only=True)


class ChangeSerializer(ProductSerializer):
    """What a change takes; the browsable form is filled without the stock, which goes on moving."""

    stock = serializers.IntegerField(required=False, min_value=0, max_value=MAX_STOCK, write_only=True)


class OrderingField(serializers.ChoiceField):
    """A field of products to sort by, with `-` for down; gives the selector's name for it."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [sign + name for name in ORDERINGS for sign in ("", "-")]
        sentence = f'"{{input}}" is not a valid choice: {", ".join(choices)}.'
        super().__init__(choices=choices, error_messages={"invalid_choice": sentence}, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The same without camel case."""
        choice = super().to_internal_value(data)
        name = choice.removeprefix("-")
        return str(choice.replace(name, ORDERINGS[name]))


class ProductQuerySerializer(serializers.Serializer[None]):
    """What a list of products can be narrowed to, and its order."""

    search = serializers.CharField(
        required=False, max_length=200, help_text="Beginnings of words that must all occur."
    )
    category = serializers.CharField(required=False)
    brand = serializers.CharField(required=False)
    tags = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Repeat it to ask for several at once."
    )
    minPrice = PriceField(source="min_price", required=False)
    maxPrice = PriceField(source="max_price", required=False)
    inStock = serializers.BooleanField(source="in_stock", required=False)
    lowStock = serializers.BooleanField(source="low_stock", required=False)
    isActive = serializers.BooleanField(source="is_active", required=False)
    ordering = OrderingField(required=False)
