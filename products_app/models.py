"""What the products keep in PostgreSQL: the keys of the services that may touch their stock."""

from datetime import timedelta
from typing import Any, ClassVar, cast

from django.db import models, transaction
from django.utils import timezone
from rest_framework_api_key.models import AbstractAPIKey

OVERLAP = timedelta(days=1)
"""How long a key that was rotated still serves beside its successor."""


class ServiceKey(AbstractAPIKey):
    """An API key: kept as a hash, so it is shown once, when it is made, and never again."""

    may_reserve = models.BooleanField(default=True, help_text="May take stock for orders.")
    may_release = models.BooleanField(default=True, help_text="May give stock back.")

    class Meta:
        db_table = "service_key"
        verbose_name = "service key"
        ordering: ClassVar = ["name", "-created"]

    @classmethod
    def issue(cls, **fields: Any) -> tuple["ServiceKey", str]:
        """A new key with these fields, and its secret."""
        return cast("tuple[ServiceKey, str]", cls.objects.create_key(**fields))

    def allows(self, scope: str) -> bool:
        """Whether the key opens routes of this scope, `reserve` or `release`."""
        return bool({"reserve": self.may_reserve, "release": self.may_release}[scope])

    def rotate(self) -> tuple["ServiceKey", str]:
        """A successor with the same name and rights, and its secret; this key ends after OVERLAP.

        The successor expires as long from now as this key was meant to live from its beginning.
        """
        now = timezone.now()
        lifetime = self.expiry_date - self.created if self.expiry_date else None
        with transaction.atomic():
            successor, secret = ServiceKey.issue(
                name=self.name,
                may_reserve=self.may_reserve,
                may_release=self.may_release,
                expiry_date=now + lifetime if lifetime else None,
            )
            self.expiry_date = min(self.expiry_date or now + OVERLAP, now + OVERLAP)
            self.save(update_fields=["expiry_date"])
        return successor, secret
