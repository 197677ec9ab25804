"""The authenticated sockets of this process, which close when their sign-in or session ends."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol


class Closable(Protocol):
    """An authenticated socket."""

    def check_identity(self) -> None:
        """Close, unless the session that authenticated the client still does."""


class OpenSockets:
    """The sockets by the topics of the ends that concern them; everything on the event loop's thread."""

    def __init__(self) -> None:
        self._by_topic: defaultdict[str, set[Closable]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, socket: Closable, topics: Iterable[str]) -> None:
        """From now on tell this socket about ends with these topics."""
        self._loop = asyncio.get_running_loop()
        for topic in topics:
            self._by_topic[topic].add(socket)

    def remove(self, socket: Closable, topics: Iterable[str]) -> None:
        """Tell this socket no longer about ends with these topics."""
        for topic in topics:
            self._by_topic[topic].discard(socket)
            if not self._by_topic[topic]:
                del self._by_topic[topic]

    def tell(self, topics: Iterable[str]) -> None:
        """Have the sockets checked that these ends concern. May be called from any thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._check, tuple(topics))

    def _check(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for socket in tuple(self._by_topic.get(topic, ())):
                socket.check_identity()


open_sockets = OpenSockets()
