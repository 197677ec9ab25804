"""The picture of a product: its image where it is on our host, else a drawing."""

from typing import NamedTuple
from zlib import adler32

from django.utils.http import url_has_allowed_host_and_scheme

from products_app.documents.reading import Product

DRAWINGS = (
    *("lamp", "pendant", "lantern", "reading", "pan", "knife", "mug", "coffee", "board", "notebook", "pen"),
    *("keyboard", "laptop", "cork", "tent", "sleeping", "bottle", "torch", "poles", "cushion", "blanket"),
    *("candle", "clock", "print", "lighting", "kitchen", "office", "outdoor", "home", "parcel"),
)
"""The drawings in static/products_app/drawings.svg: each shows products of this tag or category."""
ANY_PRODUCT = "parcel"
GROUNDS = 5
"""So many colours the ground of a drawing can have; products of a category share one."""


class Picture(NamedTuple):
    """The address of an image, or else the name of a drawing and the number of its ground."""

    image: str
    drawing: str
    ground: int


def picture_of(product: Product) -> Picture:
    """What a page shows of the product. Images on other hosts are not loaded: our policy forbids it."""
    address = product.image_url
    # Browsers read `/\host` as `//host`, as this function knows.
    is_ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    words = [word.lower() for word in (*product.tags, product.category)]
    drawing = next((word for word in words if word in DRAWINGS), ANY_PRODUCT)
    ground = adler32(product.category.encode()) % GROUNDS
    return Picture(address if is_ours else "", drawing, ground)
