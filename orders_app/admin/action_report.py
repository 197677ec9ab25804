"""What an action did, order by order: kept in the session of the user, and shown on a page of its own."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from msgspec import Struct
from unfold.admin import ModelAdmin

KEPT_AS = "order_action_report"


class Outcome(Struct, frozen=True):
    """What became of one order; `sentence` is why nothing changed, empty where it was changed."""

    order_id: str
    number: str
    sentence: str = ""

    @property
    def page(self) -> str:
        """The address of the order's page."""
        return reverse("admin:orders_app_order_change", args=[self.order_id])


class Report(Struct, frozen=True):
    """What the action with this label did."""

    label: str
    outcomes: tuple[Outcome, ...]

    @property
    def changed(self) -> list[Outcome]:
        """The orders that were changed."""
        return [outcome for outcome in self.outcomes if not outcome.sentence]

    @property
    def unchanged(self) -> list[Outcome]:
        """The orders that were not, each with the reason."""
        return [outcome for outcome in self.outcomes if outcome.sentence]

    @property
    def summary(self) -> str:
        """How many orders were changed."""
        changed = len(self.changed)
        return ngettext("%d order changed.", "%d orders changed.", changed) % changed


def tell_outcomes(request: HttpRequest, label: str, outcomes: Sequence[Outcome]) -> HttpResponse:
    """Lead to the page of the one order with messages, or to the report about many."""
    report = Report(label, tuple(outcomes))
    if len(outcomes) > 1:
        request.session[KEPT_AS] = msgspec.to_builtins(report)
        return redirect("admin:orders_app_order_report")
    if report.changed:
        messages.success(request, report.summary)
    for outcome in report.unchanged:
        messages.error(request, f"{outcome.number}: {outcome.sentence}")
    return redirect("admin:orders_app_order_change", outcomes[0].order_id)


def show_report(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The page with the report of the last action; the list of orders where there is none."""
    kept: Any = request.session.get(KEPT_AS)
    if kept is None:
        return redirect("admin:orders_app_order_changelist")
    report = msgspec.convert(kept, Report)
    context = admin.admin_site.each_context(request) | {
        "title": gettext("%(action)s: what was done") % {"action": report.label},
        "opts": admin.opts,
        "report": report,
    }
    return TemplateResponse(request, "admin/orders_app/order/report.html", context)
