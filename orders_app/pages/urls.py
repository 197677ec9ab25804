"""The paths of the pages about orders: those of the shop, and those for staff."""

from django.urls import URLPattern

SHOP: list[URLPattern] = []
STAFF: list[URLPattern] = []
