"""The page `/insights/`, and its figures alone, which its script asks for again and again."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orders_app.analytics.selection import TooManyOrders
from orders_app.pages.insights import tables, wording
from orders_app.pages.insights.charts import charts_of
from orders_app.pages.insights.form import SORTINGS, InsightsForm, Question
from orders_app.pages.insights.ranges import Range
from orders_app.pages.insights.reading import Insights, read_insights
from orders_app.pages.insights.tiles import tiles_of
from web.pages import staff_page
from web.viewer_zone import zone_of

PAGE = "orders_app/insights/page.html"
FIGURES = "orders_app/insights/figures.html"
REFRESH_SECONDS = 20
OLD_SECONDS = 60
"""Figures that are older are told to be old: the worker is behind, or does not run."""


@staff_page
def insights_page(request: HttpRequest) -> HttpResponse:
    """The question and its figures; a question without a meaning is shown again, with what is wrong."""
    form, insights = _answer(request)
    context = {"form": form, "refresh_seconds": REFRESH_SECONDS, **_links(request)}
    if insights:
        context |= _shown(insights, request)
    return render(request, PAGE, context, status=HTTPStatus.OK if insights else HTTPStatus.BAD_REQUEST)


@staff_page
def insights_figures(request: HttpRequest) -> HttpResponse:
    """The figures alone."""
    insights = _answer(request)[1]
    if insights is None:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    return render(request, FIGURES, _shown(insights, request))


def _answer(request: HttpRequest) -> tuple[InsightsForm, Insights | None]:
    """The form, and the figures unless it has an error."""
    form = InsightsForm(request.GET.dict(), viewer_zone=zone_of(request).key)
    if not form.is_valid():
        return form, None
    try:
        insights = read_insights(form.cleaned_data["question"])
    except TooManyOrders as refusal:
        form.add_error("to", str(refusal))
        return form, None
    form.offer_currencies(insights.currencies)
    return form, insights


def _shown(insights: Insights, request: HttpRequest) -> dict[str, Any]:
    question, summary = insights.question, insights.summary.now
    return {
        "question": question,
        "days": wording.days(question.period),
        "days_before": wording.days(question.before) if question.before else "",
        "summary": summary,
        "is_old": summary.lag_seconds is None or summary.lag_seconds > OLD_SECONDS,
        "age": wording.duration(summary.lag_seconds),
        "tiles": list(tiles_of(insights)),
        "charts": charts_of(insights),
        "steps": tables.step_rows(insights),
        "funnel": tables.funnel_bars(insights),
        "latencies": tables.latency_rows(insights),
        "reasons": tables.reason_bars(insights),
        "statuses": tables.status_bars(insights),
        "payment_methods": tables.payment_bars(insights),
        "products": tables.product_rows(insights),
        "product_count": wording.count(insights.product_count),
        "sortings": _sortings(request, question),
        "other_currencies": tables.other_currencies(insights),
        "files": _files(question),
    }


def _links(request: HttpRequest) -> dict[str, Any]:
    """The ranges to choose, each with the rest of the question, and where the figures alone are."""
    asked = request.GET.dict()
    rest = {name: value for name, value in asked.items() if name not in {"range", "from", "to", "bucket"}}
    return {
        "ranges": [(each.value, each.label, urlencode(rest | {"range": each.value})) for each in Range],
        "query": urlencode(asked),
    }


def _sortings(request: HttpRequest, question: Question) -> list[tuple[str, str, bool]]:
    asked = request.GET.dict()
    return [
        (str(label), urlencode(asked | {"by": by.value}), by == question.by) for by, label in SORTINGS.items()
    ]


def _files(question: Question) -> dict[str, str]:
    """The addresses of the same figures as CSV files, by name of the route."""
    asked = {
        "from": question.period.start.isoformat(),
        "to": question.period.end.isoformat(),
        "tz": question.period.zone.key,
        "currency": question.currency,
        "format": "csv",
    }
    more = {"timeseries": {"bucket": question.bucket.value}, "products": {"by": question.by.value}}
    routes = ("summary", "timeseries", "products", "funnel", "latency", "reasons")
    return {route: urlencode(asked | more.get(route, {})) for route in routes}
