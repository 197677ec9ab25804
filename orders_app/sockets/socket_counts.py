"""Counts the sockets of each user in this process and enforces SOCKETS_PER_USER."""

from collections import Counter

from django.conf import settings


class TooManySockets(Exception):
    """The user has SOCKETS_PER_USER sockets already."""

    def __init__(self, user_id: int) -> None:
        super().__init__(f"user {user_id} has {settings.SOCKETS_PER_USER} sockets already")
        self.user_id = user_id


class SocketCounts:
    """The sockets of each user. Not thread-safe: used on the event loop's thread only."""

    def __init__(self) -> None:
        self._by_user: Counter[int] = Counter()

    def add(self, user_id: int) -> None:
        """Count one more socket of the user. Raises TooManySockets."""
        if self._by_user[user_id] >= settings.SOCKETS_PER_USER:
            raise TooManySockets(user_id)
        self._by_user[user_id] += 1

    def remove(self, user_id: int) -> None:
        """Count one socket of the user less."""
        self._by_user[user_id] -= 1
        if not self._by_user[user_id]:
            del self._by_user[user_id]


socket_counts = SocketCounts()
