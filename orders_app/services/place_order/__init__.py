"""Placing orders, the hot path: one read of the catalogue and one SQL statement for a batch of orders."""

from orders_app.services.place_order.request import ItemRequest, Placement, PlacementRequest
from orders_app.services.place_order.service import PLACEMENTS, PLACING
from orders_app.services.place_order.warm_up import warm_up_placing

__all__ = ["PLACEMENTS", "PLACING", "ItemRequest", "Placement", "PlacementRequest", "warm_up_placing"]
