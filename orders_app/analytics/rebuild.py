"""Making the figures anew beside the running worker."""

from collections.abc import Callable, Iterable, Sequence

from django.db import transaction
from msgspec import Struct

from foundation.kill_points import kill_point
from orders_app.analytics.copies import Copy, empty_if_free, other_copy, rebuilding, switch_to
from orders_app.analytics.facts import VersionedMessage, fold
from orders_app.analytics.writing import write_into
from orders_app.models import AnalyticsOrder


class Rebuilt(Struct, frozen=True):
    """From how many messages figures were made anew, and of how many orders they are."""

    messages: int
    orders: int


def rebuild(
    slices: Iterable[Sequence[VersionedMessage]], complete: Callable[[Copy], None] = lambda _: None
) -> Rebuilt:
    """Make the figures anew from these messages, and switch to them.

    Until then queries see the figures of before, and what is written meanwhile is in both. `complete` is
    given the new copy before the switch. Raises RebuildUnderWay, what `slices` and `complete` raise, and the
    errors of the database; then queries go on seeing the figures of before.
    """
    messages = 0
    with rebuilding() as copy:
        for slice_of_messages in slices:
            with transaction.atomic():
                write_into([copy], fold(slice_of_messages))
            messages += len(slice_of_messages)
            kill_point("in-rebuild")
        complete(copy)
        switch_to(copy)
        rebuilt = Rebuilt(messages, AnalyticsOrder.objects.filter(placed_at__isnull=False).count())
        empty_if_free(other_copy(copy))
    return rebuilt
