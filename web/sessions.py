"""Sessions in the database, by keys as Django makes them.

A cookie may hold any text, also one that PostgreSQL cannot take, such as a NUL: that is nobody's session.
"""

from typing import Any

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Django's, under the same name: it is a part of the salt by which sessions are signed."""

    def _validate_session_key(self, key: Any) -> bool:
        """Whether there can be a session with this key."""
        return super()._validate_session_key(key) and str(key).isascii() and str(key).isalnum()  # type: ignore[misc]  # django-stubs
