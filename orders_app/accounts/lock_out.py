"""The lock-out after wrong passwords (django-axes), which counts by the normal form of the name."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.http import HttpRequest

from foundation.user_names import normal_form


def counted_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """AXES_USERNAME_CALLABLE: the name for which wrong passwords are counted."""
    name = (credentials or {}).get("username")
    return normal_form(name) if isinstance(name, str) else None


class NormalNameHandler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Makes `manage.py axes_reset_username` find a name in any form."""

    def reset_attempts(
        self, *, ip_address: str | None = None, username: str | None = None, ip_or_username: bool = False
    ) -> int:
        """Forget the wrong passwords for this name, from this address; returns how many entries that were."""
        name = normal_form(username) if username else None
        count: int = super().reset_attempts(
            ip_address=ip_address, username=name, ip_or_username=ip_or_username
        )
        return count
