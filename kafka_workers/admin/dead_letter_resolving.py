"""Redriving and discarding in the admin: a page says what will and what cannot be done, then it is done."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from foundation.slices import slices
from kafka_workers.admin.dead_letter_pages import SHOWN, FilterForm, letter_rows, page
from kafka_workers.models import DeadLetterRecord
from kafka_workers.runtime.dead_letters.letters import CannotBeRedriven, DeadLetter, find_dead_letters
from kafka_workers.runtime.dead_letters.resolver import DeadLetterResolver, ResolutionRejected, ResolverFenced
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.workers import GROUPS

TRANSACTION_SIZE = 100
RESOLUTION_ERRORS = (BrokerUnavailable, ResolverFenced, ResolutionRejected, CannotBeRedriven)
NEEDS_A_REASON = gettext_lazy("Say why they need no handling: the reason is recorded.")


class ResolveForm(forms.Form):
    """What to do with the selected dead letters, or with `everything` that the filter finds.

    `expected` is how many were on the page that asked for a confirmation.
    """

    action = forms.ChoiceField(choices=[("redrive", "Redrive"), ("discard", "Discard")])
    everything = forms.BooleanField(required=False)
    confirmed = forms.BooleanField(required=False)
    expected = forms.IntegerField(required=False)
    why = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Reason"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        """Discarding needs a reason, once it is confirmed."""
        given: dict[str, Any] = super().clean() or {}
        is_discarded = given.get("confirmed") and given.get("action") == "discard"
        if is_discarded and not given.get("why", "").strip():
            self.add_error("why", NEEDS_A_REASON)
        return given

    @property
    def is_redrive(self) -> bool:
        """Whether the letters go back to their topics."""
        return bool(self.cleaned_data["action"] == "redrive")


class Selected(NamedTuple):
    """The selected dead letters: those with which the action can be done, and the others."""

    ready: Sequence[DeadLetter]
    refused: Sequence[DeadLetter]


def resolve_selected(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Ask for a confirmation; once it is given, redrive or discard, and show the list with the result."""
    form = ResolveForm(request.POST)
    form.is_valid()
    if "action" not in form.cleaned_data:
        return _told(admin, request, _("Choose what to do."), messages.ERROR)
    try:
        selected = _selected(request, form)
        if not selected.ready:
            return _told(admin, request, _why_nothing(selected), messages.ERROR)
        if not _is_confirmed(form, selected):
            return _confirmation(admin, request, form, selected)
        resolved = _resolve(selected.ready, request.user.get_username(), form)
    except RESOLUTION_ERRORS as error:
        return _told(admin, request, str(error), messages.ERROR)
    _record(request, selected.ready, form.cleaned_data)
    level = messages.SUCCESS if resolved else messages.ERROR
    return _told(admin, request, _sentence(form, resolved, len(selected.ready)), level)


def _told(admin: ModelAdmin, request: HttpRequest, sentence: str, level: int) -> HttpResponse:
    admin.message_user(request, sentence, level)
    return redirect(request.get_full_path())


def _is_confirmed(form: ResolveForm, selected: Selected) -> bool:
    given = form.cleaned_data
    if not given["confirmed"] or form.errors:
        return False
    if given["everything"] and given["expected"] not in (None, len(selected.ready)):
        sentence = _("Meanwhile there are %(now)d of them, not %(before)d. Confirm again.")
        form.add_error(None, sentence % {"now": len(selected.ready), "before": given["expected"]})
        return False
    return True


def _confirmation(
    admin: ModelAdmin, request: HttpRequest, form: ResolveForm, selected: Selected
) -> HttpResponse:
    context = {
        "title": _("Send dead letters back") if form.is_redrive else _("Discard dead letters"),
        "form": form,
        "shows_errors": form.cleaned_data["confirmed"],
        "is_redrive": form.is_redrive,
        "everything": form.cleaned_data["everything"],
        "count": len(selected.ready),
        "ready": letter_rows(selected.ready[:SHOWN]),
        "refused": letter_rows(selected.refused[:SHOWN]),
        "refused_count": len(selected.refused),
        "back_url": request.get_full_path(),
    }
    response = page(admin, request, "dead_letters_confirm.html", context)
    response.status_code = 422 if form.errors else 200
    return response


def _selected(request: HttpRequest, form: ResolveForm) -> Selected:
    letters = find_dead_letters(FilterForm(request.GET).wanted, GROUPS)
    if not form.cleaned_data["everything"]:
        places = set(request.POST.getlist("place"))
        letters = [letter for letter in letters if letter.coordinates in places]
    if not form.is_redrive:
        return Selected(letters, [])
    readable = [letter for letter in letters if not letter.unreadable]
    return Selected(readable, [letter for letter in letters if letter.unreadable])


def _why_nothing(selected: Selected) -> str:
    if selected.refused:
        letter = selected.refused[0]
        return str(CannotBeRedriven(letter.coordinates, letter.unreadable))
    return _("None of these dead letters is open: select some, or somebody has resolved them meanwhile.")


def _resolve(letters: Sequence[DeadLetter], by: str, form: ResolveForm) -> int:
    """Redrive or discard letters; how many were still unresolved."""
    resolved, why = 0, form.cleaned_data["why"]
    for group, own in groupby(letters, attrgetter("group")):
        with DeadLetterResolver(group, by=by) as resolver:
            resolve = resolver.redrive if form.is_redrive else resolver.discard
            resolved += sum(resolve(part, why) for part in slices(own, TRANSACTION_SIZE))
    return resolved


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


def _sentence(form: ResolveForm, resolved: int, selected: int) -> str:
    if form.is_redrive:
        sentence = ngettext("%d dead letter redriven.", "%d dead letters redriven.", resolved) % resolved
    else:
        sentence = ngettext("%d dead letter discarded.", "%d dead letters discarded.", resolved) % resolved
    if others := selected - resolved:
        more = ngettext(
            "%d had been resolved by somebody else.", "%d had been resolved by somebody else.", others
        )
        sentence += f" {more % others}"
    return sentence
