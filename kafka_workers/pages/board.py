"""The board for staff: orders as they come in, how many have each status, what waits and what is wrong."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from kafka_workers.pages import board_panels as panels
from kafka_workers.pages.board_state import BoardState, board_state
from orders_app.board_figures import RECENT_ORDERS
from web.pages import staff_page

PANELS = ("waiting", "health", "scarce")
"""The parts of the page that only the server can make, and that are asked for again every few seconds."""


@staff_page
@require_safe
def board_page(request: HttpRequest) -> HttpResponse:
    """The board as it is now; its script keeps it so."""
    state = board_state.get()
    context = _panel_context(state) | {
        "tiles": panels.status_tiles(state.counts),
        "orders": state.orders,
        "blank_rows": range(RECENT_ORDERS - len(state.orders)),
        "bars": panels.chart_bars(state.placed),
        "most": max(state.placed.orders),
        "last_minute": panels.last_minute(state.placed),
        "figures": _figures(state),
    }
    return render(request, "kafka_workers/board/board.html", context)


@staff_page
@require_safe
def board_figures(request: HttpRequest) -> JsonResponse:
    """What the board shows, for its script: figures, and panels as HTML."""
    state = board_state.get()
    context = _panel_context(state)
    made = {name: render_to_string(f"kafka_workers/board/{name}.html", context, request) for name in PANELS}
    return JsonResponse(_figures(state) | {"panels": made})


def _panel_context(state: BoardState) -> dict[str, Any]:
    rows = panels.wait_rows(state.waiting)
    return {
        "wait_rows": rows,
        "stuck": sum(row.is_stuck for row in rows),
        "health": state.health,
        "is_relay_late": state.health.unread_seconds > panels.LATE_RELAY_SECONDS,
        "drift": state.drift,
        "scarce": state.scarce,
    }


def _figures(state: BoardState) -> dict[str, Any]:
    return {
        "asOf": int(state.counts.as_of.timestamp() * 1000),
        "statuses": state.counts.orders,
        "firstSlot": state.placed.first_slot,
        "placed": state.placed.orders,
        "orders": [panels.order_figures(order) for order in state.orders],
    }
