"""`GET products/{id}/stock/`: the counts of a product, the orders that hold it, and its movements.

It is here and not with the products because the orders that hold pieces are ours.
"""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import Struct, structs, to_builtins
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders_app.holds import Hold, HoldsOf
from products_app.stock_selectors import (
    MovementsOf,
    StockCounts,
    StockMovement,
    find_actor_names,
    get_stock_counts,
)
from web.error_schema import ERROR
from web.no_store import NoStore
from web.pagination import Pages
from web.struct_schema import StructSerializer


class ListPages(Struct, frozen=True):
    """How many entries a list has, and the addresses of its neighbouring pages."""

    count: int
    next: str | None
    previous: str | None


class Movement(StockMovement, frozen=True, rename="camel"):
    """A movement, with the user name of its actor."""

    actor_name: str | None = None


class ProductStock(StockCounts, frozen=True, rename="camel", kw_only=True):
    """The stock of a product, with one page of each list."""

    holds: list[Hold]
    holds_pages: ListPages
    movements: list[Movement]
    movements_pages: ListPages


class ProductStockSerializer(StructSerializer):
    """The stock of a product."""

    struct = ProductStock


class HoldPages(Pages):
    """`?holdsPage=2`."""

    page_query_param = "holdsPage"


class MovementPages(Pages):
    """`?movementsPage=2`."""

    page_query_param = "movementsPage"


@extend_schema(tags=["stock"])
class ProductStockView(NoStore, APIView):
    """The stock of a product, for staff."""

    permission_classes = (IsAdminUser,)

    @extend_schema(
        operation_id="getProductStock",
        summary="What is in stock, who holds it, and what moved it",
        description="`held` is what orders hold by the ledger, those that were delivered included; `holds` "
        "are the orders that are not delivered yet. Both lists are paged for themselves.",
        parameters=[
            OpenApiParameter("product_id", str, OpenApiParameter.PATH, pattern="^[0-9a-fA-F]{24}$"),
            OpenApiParameter("holdsPage", int),
            OpenApiParameter("movementsPage", int),
            OpenApiParameter("pageSize", int),
        ],
        responses={
            200: ProductStockSerializer,
            409: OpenApiResponse(ERROR, "Another program wrote fields that cannot be read."),
        },
    )
    def get(self, request: Request, product_id: str) -> Response:
        """Show it."""
        counts = get_stock_counts(product_id=product_id)
        holds, holds_pages = self._page(HoldPages(), HoldsOf(counts.product_id))
        movements, movements_pages = self._page(MovementPages(), MovementsOf(counts.product_id))
        stock = ProductStock(
            **structs.asdict(counts),
            holds=holds,
            holds_pages=holds_pages,
            movements=with_names(movements),
            movements_pages=movements_pages,
        )
        return Response(to_builtins(stock))

    def _page(self, pages: Pages, rows: Any) -> tuple[list[Any], ListPages]:
        """One page of a list, and where the others are. Raises NotFound where there is no such page."""
        found: list[Any] = pages.paginate_queryset(rows, self.request, self) or []
        assert pages.page is not None
        return found, ListPages(pages.page.paginator.count, pages.get_next_link(), pages.get_previous_link())


def with_names(movements: Sequence[StockMovement]) -> list[Movement]:
    """The movements with the names that their actors have now; a user who was deleted has none."""
    names = find_actor_names(movements)
    return [Movement(**structs.asdict(each), actor_name=names.get(each.actor)) for each in movements]
