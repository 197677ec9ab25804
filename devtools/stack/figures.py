"""What the metrics of a running stack say, in sentences for `./start status`."""

import time
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from foundation.duration import duration_in_words
from kafka_workers.workers import CONSUMERS

_LATE_SECONDS = 60.0
_LEAST_FREE = 0.1
"""A disk of which less than this share is free is nearly full."""


class Figures:
    """The values of all metrics; where they cannot be found out, there are none."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    @classmethod
    def read(cls, text: str) -> "Figures":
        """From the Prometheus text format. Raises ValueError where it is another."""
        return cls([sample for family in text_string_to_metric_families(text) for sample in family.samples])

    def value(self, name: str) -> float | None:
        """The value of a metric without labels; None where it is not known."""
        return next((each.value for each in self._samples if each.name == name), None)

    def values(self, name: str, label: str) -> Mapping[str, float]:
        """The values of a metric by one of its labels."""
        return {each.labels[label]: each.value for each in self._samples if each.name == name}


def behind(figures: Figures) -> Iterator[str]:
    """How far what reads no topic is behind."""
    if (seconds := figures.value("stockbridge_relay_oldest_unread_seconds")) is not None:
        yield f"relay: oldest unread event {seconds:.1f} s"
    if (mails := figures.value("stockbridge_account_mails_waiting")) is not None:
        yield f"account mails: {mails:.0f} waiting"


def checked(figures: Figures) -> Iterator[str]:
    """What audits have found, and what waits for a decision."""
    yield f"stock: {_drift_in_words(figures)}"
    letters = figures.values("stockbridge_dead_letters", "group")
    yield f"dead letters: {sum(letters.values()):.0f}" if letters else "dead letters: not known"
    if (parked := figures.value("stockbridge_relay_parked_events")) is not None:
        yield f"parked events: {parked:.0f}"


def _drift_in_words(figures: Figures) -> str:
    audited = figures.value("stockbridge_stock_audit_timestamp_seconds")
    drift = figures.value("stockbridge_stock_drift_pieces")
    if not audited or drift is None:
        return "not audited yet (manage.py audit_stock)"
    return f"drift {drift:.0f} at the last audit, {duration_in_words(max(0.0, time.time() - audited))} ago"


def wrong(figures: Figures) -> Iterator[str]:
    """What an operator must see to, with the command that shows it."""
    yield from _waiting_consumers(figures)
    yield from _relay(figures)
    if drift := figures.value("stockbridge_stock_drift_pieces"):
        yield f"stock differs from the ledger by {drift:.0f} pieces at the last audit: manage.py audit_stock"
    if differences := figures.value("stockbridge_payment_differences"):
        yield (
            f"payments: {differences:.0f} differences to the gateway's books at the last audit: "
            "manage.py audit_payments"
        )
    for group, number in sorted(figures.values("stockbridge_dead_letters", "group").items()):
        if number:
            yield f"{number:.0f} dead letters of {group} wait for a decision: manage.py dead_letters list"
    if parked := figures.value("stockbridge_relay_parked_events"):
        yield f"{parked:.0f} parked events wait for a decision: manage.py parked_events list"
    yield from _full_disks(figures)


def _waiting_consumers(figures: Figures) -> Iterator[str]:
    """Consumers that wait for a server; health tells of those that orders need, and of no other."""
    waiting = figures.values("stockbridge_consumer_waiting", "group")
    for consumer in CONSUMERS:
        if waiting.get(consumer.group):
            *others, last = consumer.needs
            yield f"the {consumer.title} waits for a server that it needs: {', '.join(others)} or {last}"


def _relay(figures: Figures) -> Iterator[str]:
    if figures.value("stockbridge_relay_leaders") == 0:
        yield "no relay leads: nothing is published"
    seconds = figures.value("stockbridge_relay_oldest_unread_seconds")
    if seconds is not None and seconds > _LATE_SECONDS:
        yield f"the relay has left an event unread for {duration_in_words(seconds)}"


def _full_disks(figures: Figures) -> Iterator[str]:
    sizes = figures.values("stockbridge_disk_size_bytes", "disk")
    for disk, free in figures.values("stockbridge_disk_free_bytes", "disk").items():
        if sizes.get(disk) and free / sizes[disk] < _LEAST_FREE:
            yield f"the disk {disk} is nearly full: {free / sizes[disk]:.0%} free"
