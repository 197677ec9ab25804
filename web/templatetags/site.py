"""The components of pages as template tags: `{% load site %}`; docs/design.md shows each."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from web import socket_address
from web.shown_values import CLOCK, CLOCK_WITH_SECONDS, exact_moment, shown_amount, shown_day, shown_moment

register = template.Library()

NOTHING = mark_safe("<span>—</span>")
NAVIGATION_PAGES = 2
"""So many pages on each side of the one that is shown have a link of their own."""


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> SafeString:
    """The amount with the decimals of its currency, and the currency; a dash for None."""
    if amount is None:
        return NOTHING
    return format_html(
        '<span class="money">{}&nbsp;<small>{}</small></span>', shown_amount(amount, currency), currency
    )


@register.simple_tag
def day(time: datetime) -> str:
    """The day of this time in the zone of the viewer."""
    return shown_day(timezone.localtime(time))


@register.simple_tag
def today() -> str:
    """The day that it is in the zone of the viewer."""
    return shown_day(timezone.localtime())


@register.simple_tag
def exact(time: datetime | None) -> SafeString:
    """As `moment`, with the seconds."""
    return moment(time, CLOCK_WITH_SECONDS)


@register.simple_tag
def moment(time: datetime | None, clock: str = CLOCK) -> SafeString:
    """The time in the zone of the viewer, with the seconds and the zone in its title; a dash for None."""
    if time is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{}" data-moment>{}{}</time>',
        time.isoformat(),
        exact_moment(time),
        shown_moment(time, clock),
        " UTC" if zone_name() == "UTC" else "",
    )


@register.simple_tag
def zone_name() -> str:
    """The name of the zone in which the page shows times."""
    return timezone.get_current_timezone_name()


@register.simple_tag
def shown_zone() -> SafeString:
    """The same name; the script of the page puts it right where the browser's zone was not known yet."""
    return format_html("<span data-zone-name>{}</span>", zone_name())


@register.simple_tag
def badge(label: str, tone: str = "neutral") -> SafeString:
    """A state as a word; `tone` is neutral, waiting, moving, travelling, good or bad."""
    return format_html('<span class="badge tone-{}">{}</span>', tone, label)


@register.simple_tag(takes_context=True)
def sockets_url(context: template.Context) -> str:
    """Where the page finds the sockets; empty for a page without a request."""
    request: HttpRequest | None = context.get("request")
    return socket_address.sockets_url(request) if request else ""


@register.inclusion_tag("site/components/field.html")
def field(bound: BoundField, hint: str = "") -> dict[str, Any]:
    """A field of a form with its label, hint and errors; the first with an error gets the focus."""
    has_focus = next(iter(bound.form.errors), None) == bound.name
    return {
        "field": bound,
        "input": bound.as_widget(attrs={"autofocus": True}) if has_focus else bound,
        "hint": hint or bound.help_text,
        "is_checkbox": getattr(bound.field.widget, "input_type", "") == "checkbox" and not bound.use_fieldset,
    }


@register.inclusion_tag("site/components/pager.html", takes_context=True)
def pager(context: template.Context, page: Page[Any]) -> dict[str, Any]:
    """Links to the pages around this one; the other parameters of the address stay."""
    last = page.paginator.num_pages
    near = range(max(1, page.number - NAVIGATION_PAGES), min(last, page.number + NAVIGATION_PAGES) + 1)
    return {"request": context["request"], "page": page, "near": near, "last": last}


@register.inclusion_tag("site/components/breadcrumbs.html")
def breadcrumbs(*steps: str) -> dict[str, Any]:
    """Where the page is: addresses and labels in turn, and the label of the page itself."""
    links = list(zip(steps[:-1:2], steps[1:-1:2], strict=True))
    return {"links": links, "here": steps[-1]}


@register.inclusion_tag("site/components/empty.html")
def empty(title: str, text: str = "", url: str = "", action: str = "") -> dict[str, str]:
    """What is shown in place of an empty list: what would be here, and where to go on."""
    return {"title": title, "text": text, "url": url, "action": action}
