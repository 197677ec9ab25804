# ruff: noqa: N815  # the names of the fields are the names in JSON
"""Shapes of the products' routes."""

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct
from rest_framework import serializers

from products_app.documents.product import Product
from products_app.services.stock.service import LineReleased, LineReserved

MAX_STOCK = 1_000_000_000
MAX_QUANTITY = 1_000_000
ORDERINGS = {"price": "price", "name": "name", "stock": "stock", "createdAt": "created_at"}


class PriceField(serializers.DecimalField):
    """An amount with cents, not negative."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=12, decimal_places=2, min_value=Decimal(0), **kwargs)


class ProductSerializer(serializers.Serializer[Product]):
    """A product. An optional field that is left out keeps its value."""

    id = serializers.CharField(read_only=True)
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    price = PriceField()
    category = serializers.CharField(required=False, allow_blank=True, max_length=100)
    stock = serializers.IntegerField(required=False, min_value=0, max_value=MAX_STOCK)
    inStock = serializers.BooleanField(source="in_stock", read_only=True)
    imageUrl = serializers.RegexField(
        r"^(https?://|/)", source="image_url", required=False, allow_blank=True, max_length=2_000
    )
    sku = serializers.CharField(required=False, allow_blank=True, max_length=100)
    brand = serializers.CharField(required=False, allow_blank=True, max_length=100)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=50)
    isActive = serializers.BooleanField(source="is_active", required=False)
    createdAt = serializers.DateTimeField(source="created", read_only=True)
    updatedAt = serializers.DateTimeField(source="updated", read_only=True)


class OrderingField(serializers.ChoiceField):
    """A field of products to sort by, with `-` for down; gives the selector's name for it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[sign + name for name in ORDERINGS for sign in ("", "-")], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The same without camel case."""
        choice = super().to_internal_value(data)
        name = choice.removeprefix("-")
        return str(choice.replace(name, ORDERINGS[name]))


class ProductQuerySerializer(serializers.Serializer[None]):
    """What a list of products can be narrowed to, and its order."""

    search = serializers.CharField(required=False, max_length=200, help_text="Words that must all occur.")
    category = serializers.CharField(required=False)
    brand = serializers.CharField(required=False)
    tags = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Repeat it to ask for several at once."
    )
    minPrice = PriceField(source="min_price", required=False)
    maxPrice = PriceField(source="max_price", required=False)
    inStock = serializers.BooleanField(source="in_stock", required=False)
    isActive = serializers.BooleanField(source="is_active", required=False)
    ordering = OrderingField(required=False)


class QuantityField(serializers.IntegerField):
    """A JSON number without a fraction: neither text nor true."""

    def to_internal_value(self, data: Any) -> int:
        """The number as it is."""
        if type(data) is not int:
            self.fail("invalid")
        return data


class TextField(serializers.CharField):
    """JSON text, taken as it is; a number is not read as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class LineSerializer(serializers.Serializer[None]):
    """So many pieces for an order."""

    quantity = QuantityField(min_value=1, max_value=MAX_QUANTITY)
    orderId = TextField(source="order_id", max_length=64)


class PlainLine(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A line as every program sends it; what does not fit may still be one for LineSerializer."""

    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
    order_id: Annotated[str, Meta(pattern="^[!-~]{1,64}$")]


class LineReservedSerializer(serializers.Serializer[LineReserved]):
    """What the order has reserved; `newStock` is what could still be sold right after."""

    productId = serializers.CharField(source="product_id")
    productName = serializers.CharField(source="product_name")
    reservedQuantity = serializers.IntegerField(source="reserved_quantity")
    newStock = serializers.IntegerField(source="new_stock")
    orderId = serializers.CharField(source="order_id")


class LineReleasedSerializer(serializers.Serializer[LineReleased]):
    """What the order has given back; `newStock` is what could be sold right after."""

    productId = serializers.CharField(source="product_id")
    productName = serializers.CharField(source="product_name")
    releasedQuantity = serializers.IntegerField(source="released_quantity")
    newStock = serializers.IntegerField(source="new_stock")
    orderId = serializers.CharField(source="order_id")
