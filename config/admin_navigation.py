"""The sidebar of the admin, in the order in which its pages are used; users see what they may open."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Entry(NamedTuple):
    """A page of the sidebar, by the name of its address; without a `permission` for all staff."""

    title: Promise
    icon: str
    page: str
    permission: str = ""


class Section(NamedTuple):
    """Entries under one heading; a section that is closed opens by a click."""

    title: Promise | str
    entries: Sequence[Entry]
    is_closed: bool = False


def _list(title: Promise, icon: str, app: str, model: str) -> Entry:
    return Entry(title, icon, f"admin:{app}_{model}_changelist", f"{app}.view_{model}")


SECTIONS = (
    Section(
        "",
        (
            Entry(_("Start"), "home", "admin:index"),
            _list(_("Orders"), "shopping_cart", "orders_app", "order"),
            _list(_("Products and stock"), "inventory_2", "products_app", "product"),
        ),
    ),
    Section(
        _("Money"),
        (
            _list(_("Payments"), "credit_card", "orders_app", "payment"),
            _list(_("Refunds"), "undo", "orders_app", "refund"),
            _list(_("Told by the gateway"), "campaign", "orders_app", "gatewayevent"),
        ),
    ),
    Section(
        _("To look at"),
        (
            Entry(_("Board"), "space_dashboard", "staff:board"),
            Entry(_("Insights"), "monitoring", "staff:insights"),
            Entry(_("Proof of the stock"), "fact_check", "staff:proof"),
        ),
    ),
    Section(
        _("People"),
        (
            _list(_("Users"), "person", "auth", "user"),
            _list(_("Mails about orders"), "mail", "orders_app", "mailrecord"),
            _list(_("Mails about accounts"), "mark_email_read", "orders_app", "accountmail"),
        ),
    ),
    Section(
        _("What needs a decision"),
        (
            _list(_("Dead letters"), "dangerous", "kafka_workers", "deadletterrecord"),
            _list(_("Parked events"), "local_parking", "kafka_workers", "parkedevent"),
            _list(_("Stock contradictions"), "sync_problem", "orders_app", "stockcontradiction"),
        ),
    ),
    Section(
        _("System"),
        (
            _list(_("Groups and their rights"), "group", "auth", "group"),
            _list(_("Service keys"), "key", "products_app", "servicekey"),
            _list(_("Audit trail"), "history", "admin", "logentry"),
            _list(_("Redactions"), "ink_eraser", "orders_app", "redaction"),
            _list(_("Who wants no mail"), "unsubscribe", "orders_app", "mailpreference"),
        ),
        is_closed=True,
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The sections as django-unfold takes them."""
    return [
        {
            "title": section.title,
            "separator": bool(section.title),
            "collapsible": section.is_closed,
            "items": [_item(each, request) for each in section.entries if _may_open(each, request)],
        }
        for section in SECTIONS
    ]


def _item(entry: Entry, request: HttpRequest) -> dict[str, Any]:
    link = reverse(entry.page)
    is_start = entry.page == "admin:index"
    is_here = request.path == link if is_start else request.path.startswith(link)
    return {"title": entry.title, "icon": entry.icon, "link": link, "active": is_here}


def _may_open(entry: Entry, request: HttpRequest) -> bool:
    return not entry.permission or request.user.has_perm(entry.permission)
