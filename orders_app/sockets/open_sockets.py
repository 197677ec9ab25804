"""How many sockets each user has open in this process."""

from collections import Counter

from django.conf import settings


class TooManySockets(Exception):
    """The user has SOCKETS_PER_USER open already."""

    def __init__(self, user_id: int) -> None:
        super().__init__(f"user {user_id} has {settings.SOCKETS_PER_USER} sockets open")
        self.user_id = user_id


class OpenSockets:
    """Counts them; on the event loop's thread. Other processes count their own."""

    def __init__(self) -> None:
        self._of_user: Counter[int] = Counter()

    def enter(self, user_id: int) -> None:
        """Count one more. Raises TooManySockets."""
        if self._of_user[user_id] >= settings.SOCKETS_PER_USER:
            raise TooManySockets(user_id)
        self._of_user[user_id] += 1

    def leave(self, user_id: int) -> None:
        """Count one less."""
        self._of_user[user_id] -= 1
        if not self._of_user[user_id]:
            del self._of_user[user_id]


open_sockets = OpenSockets()
