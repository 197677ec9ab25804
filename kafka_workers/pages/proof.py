"""The proof page for staff: of every product what was received, what orders hold and what is in stock."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from foundation.kept import REST
from kafka_workers.audit.look import PROOF_SECONDS, looks_for_proof
from kafka_workers.models import LastAudit, StockLook
from web.pages import staff_page

FIRST_LOOK_SECONDS = 0.4
"""So long a page waits for a look that has begun, before it shows the one before."""
PRODUCTS_ON_A_PAGE = 100
LATE_LOOKS = 4


@staff_page
@require_safe
def proof_page(request: HttpRequest) -> HttpResponse:
    """The last look; the script of the page asks for the next ones."""
    return render(request, "kafka_workers/board/proof.html", _context(request))


@staff_page
@require_safe
def proof_figures(request: HttpRequest) -> JsonResponse:
    """The last look as HTML, for the script of the page."""
    panel = render_to_string("kafka_workers/board/proof_panel.html", _context(request), request)
    return JsonResponse({"panels": {"proof": panel}})


def _context(request: HttpRequest) -> dict[str, Any]:
    look = looks_for_proof.last(wait=FIRST_LOOK_SECONDS)
    q, page = request.GET.get("q", "").strip(), request.GET.get("page")
    context = {"q": q, "last_audit": LastAudit.objects.first(), "look": look}
    if look is None:
        return context
    return context | {"page": _products(look, q.casefold(), page), "is_late": _is_late(look)}


def _products(look: StockLook, text: str, page: str | None) -> Page[dict[str, Any]]:
    """This page of the products that have this text in their name, or that id."""
    found = [row for row in look.rows if text in row["name"].casefold() or text == row["id"]]
    return Paginator(found, PRODUCTS_ON_A_PAGE).get_page(page)


def _is_late(look: StockLook) -> bool:
    """Whether looks that should have been taken since were not: a server is away, or it takes very long."""
    age = (timezone.now() - look.looked_at).total_seconds()
    return age > LATE_LOOKS * max(PROOF_SECONDS, REST * look.seconds)
