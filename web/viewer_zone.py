"""The time zone of the viewer of a page: a script of the page keeps the browser's in a cookie."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest

ZONE_COOKIE = "tz"
UTC = ZoneInfo("UTC")


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The zone of the cookie; UTC where there is none, or one that is no zone."""
    name = request.COOKIES.get(ZONE_COOKIE, "")
    return ZoneInfo(name) if name in zone_names() else UTC


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones. They are kept, because finding them reads folders of files."""
    return frozenset(available_timezones())
