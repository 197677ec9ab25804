"""Tells each process which sign-ins have ended, so that no request has to ask the database.

One thread of a process listens to the database, which tells each end when it is committed (migration 0004),
and reads the ended sign-ins every POLL_SECONDS too. Sign-ins that ended longer ago than an access token lives
are left out: their tokens have expired.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog
from django.db import connection
from django.db.models.functions import Now
from rest_framework_simplejwt.settings import api_settings

from foundation.heartbeat import Heartbeat
from foundation.lasting_trouble import LastingTrouble
from orders_app.models import SignIn

CHANNEL = "sign_in_end"
POLL_SECONDS = 2.0
RETRY_SECONDS = 0.5
MARGIN = timedelta(minutes=1)

log = structlog.get_logger(__name__)


class EndedSignIns:
    """The ids of the sign-ins that ended lately; replaced as a whole, so that any thread may read them."""

    def __init__(self) -> None:
        self.ids: frozenset[str] = frozenset()

    def read(self) -> frozenset[str]:
        """Read them anew; returns those that were not known yet. Raises the errors of the database."""
        known = self.ids
        ended = SignIn.objects.filter(ended_at__gt=Now() - api_settings.ACCESS_TOKEN_LIFETIME - MARGIN)
        self.ids = frozenset(ended.values_list("id", flat=True))
        return self.ids - known


ended_sign_ins = EndedSignIns()

ANY_SESSION = "session"
"""The topic that concerns all sessions: while nobody listened, any of them may have ended."""


def topic_of_sign_in(sign_in_id: str) -> str:
    """What the database calls the end of a sign-in."""
    return f"sign-in {sign_in_id}"


def topic_of_user(user_id: int) -> str:
    """What the database calls the end of all sign-ins and sessions of a user."""
    return f"user {user_id}"


def topic_of_session(key: str) -> str:
    """What the database calls the end of a session: it tells a digest of the key."""
    return f"session {hashlib.sha256(key.encode()).hexdigest()}"


def watch_sign_ins(tell: Callable[[Iterable[str]], None] = lambda _topics: None) -> None:
    """Start the thread of this process; `tell` is called there with the topics of each end."""
    threading.Thread(target=_watch, args=[tell], name="sign-ins", daemon=True).start()


def _watch(tell: Callable[[Iterable[str]], None]) -> None:
    heartbeat = Heartbeat("sign-ins")
    heartbeat.end_with_process()
    trouble = LastingTrouble(
        log, begins="ends of sign-ins are not read, trying again", ends="ends of sign-ins are read again"
    )
    while True:
        heartbeat.beat()
        try:
            _listen()
            trouble.end()
            tell([ANY_SESSION])
            _follow(tell, heartbeat)
        except Exception as error:  # any: without this thread, ended sign-ins would go on
            trouble.meet(error=repr(error))
            connection.close()
            time.sleep(RETRY_SECONDS)


def _listen() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")


def _follow(tell: Callable[[Iterable[str]], None], heartbeat: Heartbeat) -> None:
    topics: set[str] = set()
    while True:
        heartbeat.beat()
        topics.update(map(topic_of_sign_in, ended_sign_ins.read()))
        tell(topics)
        with connection.wrap_database_errors:
            notifications = connection.connection.notifies(timeout=POLL_SECONDS, stop_after=1)
            topics = {notification.payload for notification in notifications}
