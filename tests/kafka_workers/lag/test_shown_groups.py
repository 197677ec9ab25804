"""Which groups of the cluster become labels: ours always, those of other programs up to a number."""

from structlog.types import EventDict

from kafka_workers.lag.exporter import MOST_OTHER_GROUPS, ShownGroups
from kafka_workers.workers import GROUPS


def test_console_consumers_without_end_do_not_become_series_without_end(
    captured_log: list[EventDict],
) -> None:
    groups = ShownGroups()
    names = [f"console-consumer-{number}" for number in range(MOST_OTHER_GROUPS + 5)]
    assert [name for name in names if groups.takes(name)] == names[:MOST_OTHER_GROUPS]
    assert groups.takes(names[0])
    assert all(groups.takes(name) for name in GROUPS)
    assert [entry["group"] for entry in captured_log] == [names[MOST_OTHER_GROUPS]]
