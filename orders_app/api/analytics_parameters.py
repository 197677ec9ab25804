"""What the routes of analytics are asked: period, time zone, currency; a value without a meaning is a 400."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from foundation.currencies import is_currency
from foundation.printable import shortened
from orders_app.analytics.periods import Bucket, Period, bucket_starts, first_moment
from orders_app.analytics.product_figures import SortedBy
from orders_app.api.filters import with_plus
from web.viewer_zone import zone_names

SHOWN_CHARACTERS = 50
YEARS = range(1970, 3000)
USUAL_DAYS = 30
MOST_DAYS = 3_660
MOST_BUCKETS = 10_000
DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")


@extend_schema_field(OpenApiTypes.STR)
class MomentField(serializers.Field[date | datetime, str, str, Any]):
    """A date, or a time with or without an offset."""

    default_error_messages = {  # noqa: RUF012 - DRF reads it so
        "invalid": '"{given}" is neither a date, such as 2026-11-26, nor a time, such as '
        "2026-11-26T09:30:00Z.",
        "year": f"The year must be from {YEARS.start} to {YEARS.stop - 1}.",
    }

    def to_internal_value(self, data: str) -> date | datetime:
        """A date, or a time, which has no zone where none is given. Raises ValidationError."""
        try:
            moment = parse_date(data) or parse_datetime(with_plus(data))
        except ValueError:
            moment = None
        if moment is None:
            self.fail("invalid", given=shortened(data, SHOWN_CHARACTERS))
        if moment.year not in YEARS:
            self.fail("year")
        return moment


@extend_schema_field(OpenApiTypes.STR)
class ZoneField(serializers.Field[ZoneInfo, str, str, Any]):
    """A time zone by its name in the IANA time zone database."""

    default_error_messages = {  # noqa: RUF012 - DRF reads it so
        "invalid": '"{given}" is no time zone; a name such as Europe/London or UTC is expected.',
    }

    def to_internal_value(self, data: str) -> ZoneInfo:
        """The zone. Raises ValidationError."""
        if data not in zone_names():
            self.fail("invalid", given=shortened(data, SHOWN_CHARACTERS))
        return ZoneInfo(data)


class CurrencyField(serializers.CharField):
    """A currency by its code in ISO 4217."""

    default_error_messages = {  # noqa: RUF012 - DRF reads it so
        "unknown": '"{given}" is no currency; a code such as USD is expected.',
    }

    def to_internal_value(self, data: Any) -> str:
        """The code. Raises ValidationError."""
        code: str = super().to_internal_value(data)
        if not is_currency(code):
            self.fail("unknown", given=shortened(code, SHOWN_CHARACTERS))
        return code


class PeriodParameters(serializers.Serializer[None]):
    """Which orders the figures are about; `from`, `to` and `tz` are read together, as a `period`."""

    tz = ZoneField(
        required=False,
        help_text="IANA time zone, in which days begin and times without an offset are read. Default UTC.",
    )
    currency = CurrencyField(
        required=False, help_text="Only the orders in this currency. By default those in all currencies."
    )

    def get_fields(self) -> dict[str, Any]:
        """The fields; the name of the first one is a word of Python."""
        first = MomentField(
            required=False,
            help_text="Orders placed from this date or time on. By default 30 days, with the last one.",
        )
        last = MomentField(
            required=False,
            help_text="Orders placed before this time; a date stands for its whole day, which is included. "
            "By default today.",
        )
        return {"from": first, "to": last, **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The parameters, with `period`. Raises ValidationError where it is empty or too long."""
        period = _period(attrs.pop("from", None), attrs.pop("to", None), attrs.pop("tz", UTC_ZONE))
        if period.start >= period.end:
            raise _invalid("from", "`from` must be before `to`.", "period_empty")
        if period.end - period.start > MOST_DAYS * DAY:
            raise _invalid("from", f"A period has at most {MOST_DAYS} days.", "period_too_long")
        return attrs | {"period": period}


class MoneyParameters(PeriodParameters):
    """The same, where money is added up."""

    currency = CurrencyField(
        default=lambda: settings.CURRENCY,
        help_text="Only the orders in this currency (ISO 4217): amounts of different ones are never added "
        "up. By default the currency of the installation.",
    )


class BucketParameters(MoneyParameters):
    """The same, divided into buckets; `starts` are when they begin."""

    bucket = serializers.ChoiceField(
        choices=[each.value for each in Bucket],
        default=Bucket.DAY.value,
        help_text=f"How the period is divided; at most {MOST_BUCKETS} buckets. A week begins on Monday.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The parameters, with `starts`. Raises ValidationError where there are too many."""
        attrs = super().validate(attrs)
        starts = list(islice(bucket_starts(attrs["period"], Bucket(attrs["bucket"])), MOST_BUCKETS + 1))
        if len(starts) > MOST_BUCKETS:
            sentence = f"There are more than {MOST_BUCKETS} buckets: ask for longer ones or a shorter period."
            raise _invalid("bucket", sentence, "too_many_buckets")
        return attrs | {"starts": starts}


class ProductParameters(MoneyParameters):
    """The same, and by what products are sorted."""

    by = serializers.ChoiceField(
        choices=[each.value for each in SortedBy],
        default=SortedBy.REVENUE.value,
        help_text="What the products are sorted by, most first.",
    )


def _period(first: date | datetime | None, last: date | datetime | None, zone: ZoneInfo) -> Period:
    end = _end_of(last or timezone.now().astimezone(zone).date(), zone)
    if first is None:
        first = (end - timedelta.resolution).astimezone(zone).date() - (USUAL_DAYS - 1) * DAY
    return Period(_start_of(first, zone), end, zone)


def _start_of(moment: date | datetime, zone: ZoneInfo) -> datetime:
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    return first_moment(moment, zone)


def _end_of(moment: date | datetime, zone: ZoneInfo) -> datetime:
    return _start_of(moment if isinstance(moment, datetime) else moment + DAY, zone)


def _invalid(name: str, sentence: str, code: str) -> ValidationError:
    return ValidationError({name: [ErrorDetail(sentence, code)]})
