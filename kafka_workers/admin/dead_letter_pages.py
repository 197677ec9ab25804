"""The pages of dead letters: the same finding and settling as `manage.py dead_letters`."""

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
    Choice,
    DeadLetter,
    OriginUnknown,
    find_dead_letters,
)
from kafka_workers.runtime.dead_letters.resolver import DeskTakenOver, SettlingDesk, SettlingRefused
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.workers import GROUPS

SHOWN = 200
SETTLED_TOGETHER = 100
Refusals = (BrokerUnavailable, DeskTakenOver, SettlingRefused, OriginUnknown)


class FilterForm(forms.Form):
    """Which dead letters; a field left empty fits all."""

    group = forms.CharField(required=False, label="Group", widget=UnfoldAdminTextInputWidget)
    topic = forms.CharField(required=False, label="Came from topic", widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(required=False, label="Error contains", widget=UnfoldAdminTextInputWidget)
    key = forms.CharField(required=False, label="Key (order id)", widget=UnfoldAdminTextInputWidget)

    @property
    def choice(self) -> Choice:
        """The fields that were given."""
        self.full_clean()
        return Choice(**{name: text for name, text in self.cleaned_data.items() if text})


class SettleForm(forms.Form):
    """What to do with which of those that the filter finds: those ticked, or all."""

    action = forms.ChoiceField(choices=[("redrive", "Redrive"), ("discard", "Discard")])
    everything = forms.BooleanField(required=False)
    why = forms.CharField(required=False, max_length=500)

    def clean(self) -> dict[str, Any]:
        """Nothing is discarded without a reason."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("action") == "discard" and not given.get("why", "").strip():
            raise forms.ValidationError("Say why they need no handling: the reason is recorded.")
        return given


def show_list(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The open dead letters that the filter finds, oldest first within a group."""
    form = FilterForm(request.GET)
    letters: list[DeadLetter] = []
    try:
        letters = find_dead_letters(form.choice, GROUPS)
    except BrokerUnavailable as error:
        admin.message_user(request, str(error), messages.ERROR)
    context = {
        "title": "Dead letters",
        "form": form,
        "found": len(letters),
        "shown": min(SHOWN, len(letters)),
        "table": _table(letters[:SHOWN]),
        "may_settle": admin.has_settle_permission(request),
    }
    return _page(admin, request, "dead_letters.html", context)


def show_letter(admin: ModelAdmin, request: HttpRequest, place: str) -> HttpResponse:
    """One dead letter in full, settled or not."""
    try:
        letters = find_dead_letters(Choice(place=place), with_settled=True)
    except BrokerUnavailable as error:
        admin.message_user(request, str(error), messages.ERROR)
        return redirect("admin:kafka_workers_deadletterrecord_changelist")
    if not letters:
        raise Http404(f"there is no dead letter {place}")
    context = {"title": place, "table": {"rows": _details(letters[0])}}
    return _page(admin, request, "dead_letter.html", context)


def settle_chosen(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Redrive or discard, and back to the list with what came of it."""
    form = SettleForm(request.POST)
    if not form.is_valid():
        for sentence in form.non_field_errors() or ["Choose what to do."]:
            admin.message_user(request, str(sentence), messages.ERROR)
        return redirect(request.get_full_path())
    try:
        letters = _chosen(request, everything=form.cleaned_data["everything"])
        settled = _settle(letters, request.user.get_username(), form.cleaned_data)
    except Refusals as error:
        admin.message_user(request, str(error), messages.ERROR)
    else:
        _record(request, letters, form.cleaned_data)
        admin.message_user(request, _sentence(form.cleaned_data["action"], settled))
    return redirect(request.get_full_path())


def _record(request: HttpRequest, letters: Sequence[DeadLetter], form: dict[str, Any]) -> None:
    """Leave it in the audit trail; the dead letters have no rows by which the admin could do so itself."""
    kind = ContentType.objects.get_for_model(DeadLetterRecord)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=cast("User", request.user),
            content_type=kind,
            object_id=letter.place,
            object_repr=letter.place,
            action_flag=CHANGE,
            change_message=f"{form['action']}: {form['why']}",
        )
        for letter in letters
    )


def _chosen(request: HttpRequest, *, everything: bool) -> list[DeadLetter]:
    ticked = set(request.POST.getlist("place"))
    return [
        letter
        for letter in find_dead_letters(FilterForm(request.GET).choice, GROUPS)
        if everything or letter.place in ticked
    ]


def _settle(letters: Sequence[DeadLetter], by: str, form: dict[str, Any]) -> int:
    """Settle letters; how many were still open."""
    settled = 0
    for group, own in groupby(letters, attrgetter("group")):
        with SettlingDesk(group, by=by) as desk:
            for together in _slices(list(own)):
                settled += (
                    desk.redrive(together, form["why"])
                    if form["action"] == "redrive"
                    else desk.discard(together, form["why"])
                )
    return settled


def _slices(letters: Sequence[DeadLetter]) -> list[Sequence[DeadLetter]]:
    return [letters[start : start + SETTLED_TOGETHER] for start in range(0, len(letters), SETTLED_TOGETHER)]


def _sentence(action: str, settled: int) -> str:
    word = "redriven" if action == "redrive" else "discarded"
    return ngettext("%d dead letter %s.", "%d dead letters %s.", settled) % (settled, word)


def _page(admin: ModelAdmin, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    common = admin.admin_site.each_context(request) | {"opts": admin.opts}
    return TemplateResponse(request, f"admin/kafka_workers/{template}", common | context)


def _table(letters: Sequence[DeadLetter]) -> dict[str, object]:
    headers = ["", "place", "given up at", "key", "came from", "attempts", "error"]
    return {"headers": headers, "rows": [_row(letter) for letter in letters]}


def _row(letter: DeadLetter) -> list[object]:
    failure = letter.failure
    box = format_html(
        '<input type="checkbox" name="place" value="{}" aria-label="Choose {}">', letter.place, letter.place
    )
    page = reverse("admin:kafka_workers_deadletterrecord_change", args=[quote(letter.place)])
    link = format_html('<a class="font-medium text-primary-600" href="{}">{}</a>', page, letter.place)
    at = letter.at.isoformat(" ", "seconds")
    if failure is None:
        return [box, link, at, letter.key_text, "", "", "not known"]
    error = f"{failure.exception}: {failure.reason}"
    return [box, link, at, letter.key_text, failure.topic, failure.attempts, error]


def _details(letter: DeadLetter) -> list[list[object]]:
    failure, settlement = letter.failure, letter.settlement
    rows: list[list[object]] = [["Given up at", letter.at], ["Key", letter.key_text]]
    if failure:
        rows += [
            ["Came from", f"{failure.topic}/{failure.partition}/{failure.offset}"],
            ["Error", f"{failure.exception}: {failure.reason}"],
            ["Attempts", failure.attempts],
            ["First failed", failure.first_at],
            ["Last failed", failure.last_at],
        ]
    if settlement:
        told = f"{settlement.result} by {settlement.by} at {settlement.at}"
        rows += [["Settled", told], ["Reason given", settlement.reason]]
    headers = {name: (value or b"").decode(errors="replace") for name, value in letter.headers.items()}
    rows += [[name, text] for name, text in headers.items()]
    return [*rows, ["Value", format_html('<pre class="whitespace-pre-wrap">{}</pre>', _value(letter))]]


def _value(letter: DeadLetter) -> str:
    """The value, as readable as it can be made."""
    text = (letter.value or b"").decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
