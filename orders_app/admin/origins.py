"""The origin of what staff change in the admin."""

from django.http import HttpRequest

from orders_app.event_log import Origin


def origin_of(request: HttpRequest) -> Origin:
    """The origin of a change in the admin: the member of staff and the trace of the request."""
    return Origin(f"staff:{request.user.pk}", request.trace_parent)  # type: ignore[attr-defined]
