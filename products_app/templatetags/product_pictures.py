"""Pictures on pages of other apps: `{% load product_pictures %}`, with the styles products_app/shop.css."""

from typing import Any

from django import template

from products_app.documents.reading import Product
from products_app.pages.drawings import picture_of

register = template.Library()


@register.inclusion_tag("shop/picture.html")
def product_picture(product: Product) -> dict[str, Any]:
    """The image of the product, or a drawing."""
    return {"picture": picture_of(product)}
