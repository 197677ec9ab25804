"""The admin's list of dead letters, and the page of one, with the functions of `manage.py dead_letters`."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from msgspec import Struct
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from kafka_workers.admin.cells import id_of_order, order_links, shown_any_time
from kafka_workers.runtime.dead_letters.letters import DeadLetter, DeadLetterFilter, find_dead_letters
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.workers import CONSUMERS, GROUPS

SHOWN = 200
TITLES = {consumer.group: consumer.title for consumer in CONSUMERS}
LIST = "admin:kafka_workers_deadletterrecord_changelist"


class FilterForm(forms.Form):
    """A filter for dead letters; an empty field matches all."""

    group = forms.CharField(
        required=False,
        label=gettext_lazy("Group of the worker"),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "groups"}),
    )
    topic = forms.CharField(
        required=False, label=gettext_lazy("Came from topic"), widget=UnfoldAdminTextInputWidget
    )
    reason = forms.CharField(
        required=False, label=gettext_lazy("Reason contains"), widget=UnfoldAdminTextInputWidget
    )
    key = forms.CharField(
        required=False, label=gettext_lazy("Order, by number or id"), widget=UnfoldAdminTextInputWidget
    )

    @property
    def wanted(self) -> DeadLetterFilter:
        """The fields that are filled in. Raises ValidationError: without a field it would find more."""
        if not self.is_valid():
            raise forms.ValidationError(self.errors.as_json())
        given = {name: text for name, text in self.cleaned_data.items() if text}
        if "key" in given:
            given["key"] = id_of_order(given["key"]) or given["key"]
        return DeadLetterFilter(**given)


class LetterRow(Struct, frozen=True):
    """A dead letter as the lists show it; `order` is a link, or the key where that is no order of ours."""

    coordinates: str
    page: str
    at: str
    order: str
    came_from: str
    worker: str
    attempts: int | None
    error: str


def show_list(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The unresolved dead letters that match the filter, oldest first within a group."""
    form = FilterForm(request.GET)
    letters: list[DeadLetter] = []
    is_known = True
    try:
        letters = find_dead_letters(form.wanted, GROUPS)
    except BrokerUnavailable as error:
        is_known = False
        admin.message_user(request, str(error), messages.ERROR)
    context = {
        "title": _("Dead letters"),
        "form": form,
        "groups": sorted(GROUPS),
        "is_filtered": any(form.cleaned_data.values()),
        "is_known": is_known,
        "found": len(letters),
        "shown": min(SHOWN, len(letters)),
        "rows": letter_rows(letters[:SHOWN]),
        "may_resolve": admin.has_resolve_permission(request),
    }
    return page(admin, request, "dead_letters.html", context)


def show_letter(admin: ModelAdmin, request: HttpRequest, coordinates: str) -> HttpResponse:
    """One dead letter with all its fields, resolved or not."""
    try:
        letters = find_dead_letters(DeadLetterFilter(coordinates=coordinates), GROUPS, include_resolved=True)
    except BrokerUnavailable as error:
        admin.message_user(request, str(error), messages.ERROR)
        return redirect(LIST)
    if not letters:
        raise Http404(f"there is no dead letter {coordinates}")
    [letter] = letters
    [row] = letter_rows(letters)
    context = {
        "title": _("Dead letter of the %(worker)s") % {"worker": row.worker},
        "row": row,
        "facts": _facts(letter),
        "headers": {name: (value or b"").decode(errors="replace") for name, value in letter.headers.items()},
        "value": _value(letter),
        "resolution": letter.resolution,
        "may_resolve": letter.resolution is None and admin.has_resolve_permission(request),
        "may_redrive": not letter.unreadable,
    }
    return page(admin, request, "dead_letter.html", context)


def letter_rows(letters: Sequence[DeadLetter]) -> list[LetterRow]:
    """The rows of these dead letters."""
    links = order_links({letter.key_text for letter in letters})
    return [
        LetterRow(
            coordinates=letter.coordinates,
            page=reverse("admin:kafka_workers_deadletterrecord_change", args=[quote(letter.coordinates)]),
            at=shown_any_time(letter.at),
            order=links.get(letter.key_text, letter.key_text),
            came_from=letter.failure.topic if letter.failure else "",
            worker=TITLES.get(letter.group, letter.group),
            attempts=letter.failure.attempts if letter.failure else None,
            error=letter.error,
        )
        for letter in letters
    ]


def page(admin: ModelAdmin, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    """A page of the admin."""
    common = admin.admin_site.each_context(request) | {"opts": admin.opts, "list_url": reverse(LIST)}
    return TemplateResponse(request, f"admin/kafka_workers/{template}", common | context)


def _facts(letter: DeadLetter) -> list[tuple[str, object]]:
    failure, resolution = letter.failure, letter.resolution
    facts: list[tuple[str, object]] = [(_("Given up"), shown_any_time(letter.at)), (_("Why"), letter.error)]
    if failure:
        facts += [
            (_("Came from"), f"{failure.topic}/{failure.partition}/{failure.offset}"),
            (_("Attempts"), failure.attempts),
            (_("Failed first"), shown_any_time(failure.first_at)),
            (_("Failed last"), shown_any_time(failure.last_at)),
        ]
    facts.append((_("Kept at"), letter.coordinates))
    if resolution:
        sentence = _("%(result)s by %(by)s") % {"result": resolution.result, "by": resolution.by}
        facts += [
            (_("Resolved"), sentence),
            (_("Resolved at"), shown_any_time(resolution.at)),
            (_("Reason given"), resolution.reason),
        ]
    return facts


def _value(letter: DeadLetter) -> str:
    """The value, indented when it is JSON."""
    text = (letter.value or b"").decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
