"""The metrics of how long MongoDB takes for the commands of this process, and of its connections."""

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    ConnectionCheckOutStartedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
    ConnectionReadyEvent,
    PoolClearedEvent,
    PoolClosedEvent,
    PoolCreatedEvent,
    PoolReadyEvent,
)

from foundation.metrics import MONGODB_COMMAND_SECONDS, MONGODB_CONNECTIONS

MICROSECONDS = 1_000_000
OTHER = "other"
COMMANDS = frozenset(
    {
        "abortTransaction",
        "aggregate",
        "collMod",
        "commitTransaction",
        "count",
        "create",
        "createIndexes",
        "delete",
        "distinct",
        "find",
        "findAndModify",
        "getMore",
        "insert",
        "ping",
        "update",
    }
)
"""The commands that this system sends, by their names in the metric."""

_seconds = {name: MONGODB_COMMAND_SECONDS.labels(name) for name in (*COMMANDS, OTHER)}
_open = MONGODB_CONNECTIONS.labels("open")
_in_use = MONGODB_CONNECTIONS.labels("in_use")


class CommandMetrics(CommandListener):
    """Observes how long each command took; a `getMore` that follows changes waits for them."""

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing is known yet."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Observe the time."""
        self._observe(event)

    def failed(self, event: CommandFailedEvent) -> None:
        """Observe the time."""
        self._observe(event)

    def _observe(self, event: CommandSucceededEvent | CommandFailedEvent) -> None:
        seconds = _seconds.get(event.command_name, _seconds[OTHER])
        seconds.observe(event.duration_micros / MICROSECONDS)


class ConnectionMetrics(ConnectionPoolListener):
    """Counts the connections that are open, and those of them that are in use."""

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        """One more is open."""
        _open.inc()

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        """One less is open."""
        _open.dec()

    def connection_checked_out(self, event: ConnectionCheckedOutEvent) -> None:
        """One more is in use."""
        _in_use.inc()

    def connection_checked_in(self, event: ConnectionCheckedInEvent) -> None:
        """One less is in use."""
        _in_use.dec()

    def connection_check_out_started(self, event: ConnectionCheckOutStartedEvent) -> None:
        """Changes no count."""

    def connection_check_out_failed(self, event: ConnectionCheckOutFailedEvent) -> None:
        """Changes no count."""

    def connection_ready(self, event: ConnectionReadyEvent) -> None:
        """Changes no count."""

    def pool_created(self, event: PoolCreatedEvent) -> None:
        """Changes no count."""

    def pool_ready(self, event: PoolReadyEvent) -> None:
        """Changes no count."""

    def pool_cleared(self, event: PoolClearedEvent) -> None:
        """Changes no count: its connections are closed one by one."""

    def pool_closed(self, event: PoolClosedEvent) -> None:
        """Changes no count."""
