"""What the page is asked: period, time zone, currency, steps, and whether to compare with the time before."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from itertools import groupby, islice
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from foundation.currencies import is_currency
from orders_app.analytics.comparison import counterparts, period_before
from orders_app.analytics.periods import Bucket, Period, bucket_starts, month_begin
from orders_app.analytics.product_figures import SortedBy
from orders_app.analytics.selection import Selection
from orders_app.pages.insights.ranges import Range, period_of, period_of_days, usual_bucket
from web.viewer_zone import zone_names

FIRST_YEAR, LAST_YEAR = 1970, 2999
MOST_DAYS = 3_660
MOST_STEPS = 750
"""A month by the hour is 744: a longer table is read by nobody."""
USUAL_RANGE = Range.DAYS_30
STEPS = {
    "": _("Automatic"),
    Bucket.MINUTE: _("Minutes"),
    Bucket.HOUR: _("Hours"),
    Bucket.DAY: _("Days"),
    Bucket.WEEK: _("Weeks"),
    Bucket.MONTH: _("Months"),
}
SORTINGS = {
    SortedBy.REVENUE: _("Revenue"),
    SortedBy.PIECES: _("Pieces"),
    SortedBy.REJECTIONS: _("Rejected orders"),
}
PLACES = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


class Comparison(TextChoices):
    """With what the figures are compared."""

    BEFORE = "before", _("Period before")
    NOTHING = "none", _("Nothing")


class Question(Struct, frozen=True, kw_only=True):
    """What the figures are about; `before` is the period with which they are compared.

    `starts` are when the steps of the period begin, those to come left out; `starts_before` those of the
    steps with which they are compared.
    """

    now: datetime
    chosen: Range | None
    period: Period
    before: Period | None
    bucket: Bucket
    starts: list[datetime]
    starts_before: list[datetime]
    currency: str
    by: SortedBy

    @property
    def selection(self) -> Selection:
        """The orders of the period."""
        return Selection(self.period, self.currency)

    @property
    def selection_before(self) -> Selection | None:
        """The orders of the period before."""
        return Selection(self.before, self.currency) if self.before else None


class InsightsForm(forms.Form):
    """Reads a question; every field may be missing. Dates of one's own count before a range."""

    range = forms.ChoiceField(choices=Range, required=False, widget=forms.HiddenInput)
    tz = forms.CharField(required=False, label=_("Time zone"), widget=forms.Select)
    currency = forms.CharField(required=False, label=_("Currency"), widget=forms.Select)
    bucket = forms.ChoiceField(choices=[*STEPS.items()], required=False, label=_("Steps"))
    compare = forms.ChoiceField(choices=Comparison, required=False, label=_("Compare with"))
    by = forms.ChoiceField(choices=[*SORTINGS.items()], required=False, widget=forms.HiddenInput)
    field_order = ("range", "by", "from", "to", "bucket", "compare", "currency", "tz")

    def __init__(self, asked: Mapping[str, Any], *, viewer_zone: str) -> None:
        """The zone of the viewer is used where none is asked for."""
        usual = {"tz": viewer_zone, "currency": settings.CURRENCY, "compare": Comparison.BEFORE.value}
        super().__init__(usual | {name: value for name, value in asked.items() if value})
        # Not in the body of the class, where `from` can be no name.
        self.fields["from"] = _date_field(_("From"))
        self.fields["to"] = _date_field(_("To, included"))
        self.order_fields(self.field_order)
        self.fields["tz"].widget.choices = zone_choices()
        self.offer_currencies([])

    def offer_currencies(self, currencies: list[str]) -> None:
        """Let people choose these, that of the installation, and the one that was asked for."""
        asked = str(self.data["currency"])
        offered = sorted({*currencies, settings.CURRENCY, *([asked] if is_currency(asked) else [])})
        self.fields["currency"].widget.choices = [(code, code) for code in offered]

    def clean_tz(self) -> ZoneInfo:
        """The zone. Raises ValidationError."""
        if self.cleaned_data["tz"] not in zone_names():
            raise forms.ValidationError(_("Choose a time zone of the list."))
        return ZoneInfo(self.cleaned_data["tz"])

    def clean_currency(self) -> str:
        """The currency. Raises ValidationError."""
        if not is_currency(self.cleaned_data["currency"]):
            raise forms.ValidationError(_("Choose a currency of the list."))
        return str(self.cleaned_data["currency"])

    def clean(self) -> dict[str, Any]:
        """The fields, with the `question`. Raises ValidationError."""
        fields: dict[str, Any] = super().clean() or {}
        if not self.errors:
            fields["question"] = self._question(fields)
        return fields

    def _question(self, fields: dict[str, Any]) -> Question | None:
        now = timezone.now()
        own_dates = fields["from"] or fields["to"]
        chosen = None if own_dates else Range(fields["range"] or USUAL_RANGE)
        period = period_of(chosen, now, fields["tz"]) if chosen else self._own_period(fields, now)
        if period is None:
            return None
        bucket = Bucket(fields["bucket"] or usual_bucket(period))
        starts = list(islice(_starts(period, bucket, now), MOST_STEPS + 1))
        if len(starts) > MOST_STEPS:
            problem = _("These are more than %(most)d steps: choose longer ones, or a shorter period.")
            self.add_error("bucket", forms.ValidationError(problem, params={"most": MOST_STEPS}))
            return None
        before = period_before(period, now) if fields["compare"] != Comparison.NOTHING else None
        return Question(
            now=now,
            chosen=chosen,
            period=period,
            before=before,
            bucket=bucket,
            starts=starts,
            starts_before=counterparts(period, before, bucket, starts) if before else [],
            currency=fields["currency"],
            by=SortedBy(fields["by"] or SortedBy.REVENUE),
        )

    def _own_period(self, fields: dict[str, Any], now: datetime) -> Period | None:
        today = now.astimezone(fields["tz"]).date()
        last = fields["to"] or max(today, fields["from"])
        first = fields["from"] or month_begin(last, 0)
        if first > last:
            self.add_error("to", _("The last day is before the first one."))
        elif (last - first).days >= MOST_DAYS:
            problem = _("A period has at most %(most)d days.")
            self.add_error("from", forms.ValidationError(problem, params={"most": MOST_DAYS}))
        else:
            return period_of_days(first, last, fields["tz"])
        return None


def _starts(period: Period, bucket: Bucket, now: datetime) -> Any:
    return (start for start in bucket_starts(period, bucket) if start <= now)


def _date_field(label: Any) -> forms.DateField:
    def in_range(day: date) -> None:
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            problem = _("The year must be from %(first)d to %(last)d.")
            raise forms.ValidationError(problem, params={"first": FIRST_YEAR, "last": LAST_YEAR})

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(
        required=False, label=label, widget=widget, input_formats=["%Y-%m-%d"], validators=[in_range]
    )


@cache
def zone_choices() -> list[tuple[str, Any]]:
    """The time zones by continent, as choices of a select; UTC first."""
    names = sorted(name for name in zone_names() if name.split("/")[0] in PLACES)
    by_place = groupby(names, key=lambda name: name.split("/")[0])
    groups = [(place, [(name, _readable(name)) for name in found]) for place, found in by_place]
    return [("UTC", "UTC"), *groups]


def _readable(zone: str) -> str:
    return zone.partition("/")[2].replace("_", " ").replace("/", ", ")
