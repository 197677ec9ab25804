"""The admin's pages of dead letters, with the functions of `manage.py dead_letters`."""

import json
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from kafka_workers.models import DeadLetterRecord
from kafka_workers.runtime.dead_letters.letters import (
    CannotBeRedriven,
    DeadLetter,
    DeadLetterFilter,
    find_dead_letters,
)
from kafka_workers.runtime.dead_letters.resolver import DeadLetterResolver, ResolutionRejected, ResolverFenced
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.workers import GROUPS

SHOWN = 200
TRANSACTION_SIZE = 100
RESOLUTION_ERRORS = (BrokerUnavailable, ResolverFenced, ResolutionRejected, CannotBeRedriven)


class FilterForm(forms.Form):
    """A filter for dead letters; an empty field matches all."""

    group = forms.CharField(required=False, label="Group", widget=UnfoldAdminTextInputWidget)
    topic = forms.CharField(required=False, label="Came from topic", widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(required=False, label="Error contains", widget=UnfoldAdminTextInputWidget)
    key = forms.CharField(required=False, label="Key (order id)", widget=UnfoldAdminTextInputWidget)

    @property
    def wanted(self) -> DeadLetterFilter:
        """The fields that are filled in. Raises ValidationError: without a field it would find more."""
        if not self.is_valid():
            raise forms.ValidationError(self.errors.as_json())
        return DeadLetterFilter(**{name: text for name, text in self.cleaned_data.items() if text})


class ResolveForm(forms.Form):
    """What to do with the selected dead letters, or with `everything` that the filter finds."""

    action = forms.ChoiceField(choices=[("redrive", "Redrive"), ("discard", "Discard")])
    everything = forms.BooleanField(required=False)
    why = forms.CharField(required=False, max_length=500)

    def clean(self) -> dict[str, Any]:
        """Discarding needs a reason."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("action") == "discard" and not given.get("why", "").strip():
            raise forms.ValidationError("Say why they need no handling: the reason is recorded.")
        return given


def show_list(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The unresolved dead letters that match the filter, oldest first within a group."""
    form = FilterForm(request.GET)
    letters: list[DeadLetter] = []
    try:
        letters = find_dead_letters(form.wanted, GROUPS)
    except BrokerUnavailable as error:
        admin.message_user(request, str(error), messages.ERROR)
    context = {
        "title": "Dead letters",
        "form": form,
        "found": len(letters),
        "shown": min(SHOWN, len(letters)),
        "table": _table(letters[:SHOWN]),
        "may_resolve": admin.has_resolve_permission(request),
    }
    return _page(admin, request, "dead_letters.html", context)


def show_letter(admin: ModelAdmin, request: HttpRequest, coordinates: str) -> HttpResponse:
    """One dead letter with all its fields, resolved or not."""
    try:
        letters = find_dead_letters(DeadLetterFilter(coordinates=coordinates), GROUPS, include_resolved=True)
    except BrokerUnavailable as error:
        admin.message_user(request, str(error), messages.ERROR)
        return redirect("admin:kafka_workers_deadletterrecord_changelist")
    if not letters:
        raise Http404(f"there is no dead letter {coordinates}")
    context = {"title": coordinates, "table": {"rows": _details(letters[0])}}
    return _page(admin, request, "dead_letter.html", context)


def resolve_selected(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Redrive or discard, then show the list with the result."""
    form = ResolveForm(request.POST)
    if not form.is_valid():
        for sentence in form.non_field_errors() or ["Select what to do."]:
            admin.message_user(request, str(sentence), messages.ERROR)
        return redirect(request.get_full_path())
    try:
        letters = _selected(request, form.cleaned_data)
        resolved = _resolve(letters, request.user.get_username(), form.cleaned_data)
    except RESOLUTION_ERRORS as error:
        admin.message_user(request, str(error), messages.ERROR)
    else:
        _record(request, letters, form.cleaned_data)
        level = messages.SUCCESS if resolved else messages.ERROR
        admin.message_user(request, _sentence(form.cleaned_data["action"], resolved), level)
    return redirect(request.get_full_path())


def _record(request: HttpRequest, letters: Sequence[DeadLetter], form: dict[str, Any]) -> None:
    """Write the admin's log entries, which Django writes by itself only for rows of a table."""
    kind = ContentType.objects.get_for_model(DeadLetterRecord)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=cast("User", request.user),
            content_type=kind,
            object_id=letter.coordinates,
            object_repr=letter.coordinates,
            action_flag=CHANGE,
            change_message=f"{form['action']}: {form['why']}",
        )
        for letter in letters
    )


def _selected(request: HttpRequest, form: dict[str, Any]) -> list[DeadLetter]:
    """The selected ones; of everything, those that the action can be done to."""
    letters = find_dead_letters(FilterForm(request.GET).wanted, GROUPS)
    if form["everything"]:
        readable = [each for each in letters if not each.unreadable]
        return letters if form["action"] == "discard" else readable or letters
    selected = set(request.POST.getlist("place"))
    return [letter for letter in letters if letter.coordinates in selected]


def _resolve(letters: Sequence[DeadLetter], by: str, form: dict[str, Any]) -> int:
    """Redrive or discard letters; how many were still unresolved."""
    resolved = 0
    for group, own in groupby(letters, attrgetter("group")):
        with DeadLetterResolver(group, by=by) as resolver:
            for part in _slices(list(own)):
                resolved += (
                    resolver.redrive(part, form["why"])
                    if form["action"] == "redrive"
                    else resolver.discard(part, form["why"])
                )
    return resolved


def _slices(letters: Sequence[DeadLetter]) -> list[Sequence[DeadLetter]]:
    return [letters[start : start + TRANSACTION_SIZE] for start in range(0, len(letters), TRANSACTION_SIZE)]


def _sentence(action: str, resolved: int) -> str:
    word = "redriven" if action == "redrive" else "discarded"
    return ngettext("%d dead letter %s.", "%d dead letters %s.", resolved) % (resolved, word)


def _page(admin: ModelAdmin, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    common = admin.admin_site.each_context(request) | {"opts": admin.opts}
    return TemplateResponse(request, f"admin/kafka_workers/{template}", common | context)


def _table(letters: Sequence[DeadLetter]) -> dict[str, object]:
    headers = ["", "coordinates", "given up at", "key", "came from", "attempts", "error"]
    return {"headers": headers, "rows": [_row(letter) for letter in letters]}


def _row(letter: DeadLetter) -> list[object]:
    failure = letter.failure
    checkbox = format_html(
        '<input type="checkbox" name="place" value="{}" aria-label="Select {}">',
        letter.coordinates,
        letter.coordinates,
    )
    page = reverse("admin:kafka_workers_deadletterrecord_change", args=[quote(letter.coordinates)])
    link = format_html('<a class="font-medium text-primary-600" href="{}">{}</a>', page, letter.coordinates)
    at = letter.at.isoformat(" ", "seconds") if letter.at else ""
    origin = [failure.topic, failure.attempts] if failure else ["", ""]
    return [checkbox, link, at, letter.key_text, *origin, letter.error]


def _details(letter: DeadLetter) -> list[list[object]]:
    failure, resolution = letter.failure, letter.resolution
    rows: list[list[object]] = [
        ["Given up at", letter.at.isoformat(" ", "seconds") if letter.at else ""],
        ["Key", letter.key_text],
    ]
    rows.append(["Error", letter.error])
    if failure:
        rows += [
            ["Came from", f"{failure.topic}/{failure.partition}/{failure.offset}"],
            ["Attempts", failure.attempts],
            # As text: a time near the years 1 or 9999 cannot be shown in another time zone.
            ["First failed", failure.first_at.isoformat(" ", "seconds")],
            ["Last failed", failure.last_at.isoformat(" ", "seconds")],
        ]
    if resolution:
        sentence = f"{resolution.result} by {resolution.by} at {resolution.at}"
        rows += [["Resolved", sentence], ["Reason given", resolution.reason]]
    headers = {name: (value or b"").decode(errors="replace") for name, value in letter.headers.items()}
    rows += [[name, text] for name, text in headers.items()]
    return [*rows, ["Value", format_html('<pre class="whitespace-pre-wrap">{}</pre>', _value(letter))]]


def _value(letter: DeadLetter) -> str:
    """The value, indented when it is JSON."""
    text = (letter.value or b"").decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
