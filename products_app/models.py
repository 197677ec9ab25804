"""What PostgreSQL has of the products: service keys, and the entry of the products in the admin."""

from datetime import timedelta
from typing import Any, ClassVar, cast

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey

from products_app.exceptions import RotatedBefore

ROTATION_OVERLAP = timedelta(days=1)
"""How long a rotated key stays valid beside its successor."""


RECEIVE_STOCK = "products_app.receive_stock"
"""The permission to add, in the admin, pieces that were delivered."""
ADJUST_STOCK = "products_app.adjust_stock"
"""The permission to correct, in the admin, the stock by what was broken, lost or found."""


class Product(models.Model):
    """No table: products are documents in MongoDB. Gives them an entry and permissions in the admin."""

    class Meta:
        managed = False
        permissions: ClassVar = [
            ("receive_stock", "Can receive deliveries of products"),
            ("adjust_stock", "Can adjust the stock of products"),
        ]
        verbose_name = _("product")
        verbose_name_plural = _("products and stock")

    def __str__(self) -> str:
        return "product"


class ServiceKey(AbstractAPIKey):
    """The API key of a service. Only its hash is stored, so its secret is shown once, at its creation."""

    may_reserve = models.BooleanField(default=True, help_text="May take stock for orders.")
    may_release = models.BooleanField(default=True, help_text="May give stock back.")
    first_prefix = models.CharField(max_length=8, blank=True, editable=False)

    class Meta:
        db_table = "service_key"
        verbose_name = "service key"
        ordering: ClassVar = ["name", "-created"]

    @classmethod
    def issue(cls, **fields: Any) -> tuple["ServiceKey", str]:
        """Create a key with these fields; returns the key and its secret."""
        return cast("tuple[ServiceKey, str]", cls.objects.create_key(**fields))

    @property
    def owner(self) -> str:
        """What the stock ledger calls this key and its successors: the prefix of the first of them."""
        return self.first_prefix or self.prefix

    def allows(self, scope: str) -> bool:
        """Whether the key allows calls of this scope, `reserve` or `release`."""
        return bool({"reserve": self.may_reserve, "release": self.may_release}[scope])

    def rotate(self) -> tuple["ServiceKey", str]:
        """Create a successor with the same name and rights; returns the successor and its secret.

        This key expires after ROTATION_OVERLAP at the latest. The successor's lifetime is the one that this
        key was created with. Raises RotatedBefore where a successor is valid: two would share one owner, and
        the secret of one is lost where a page is sent twice.
        """
        now = timezone.now()
        lifetime = self.expiry_date - self.created if self.expiry_date else None
        with transaction.atomic():
            ServiceKey.objects.select_for_update().get(pk=self.pk)
            if successor := self._valid_successor():
                raise RotatedBefore(successor.prefix)
            successor, secret = ServiceKey.issue(
                name=self.name,
                may_reserve=self.may_reserve,
                may_release=self.may_release,
                first_prefix=self.owner,
                expiry_date=now + lifetime if lifetime else None,
            )
            overlap_end = now + ROTATION_OVERLAP
            self.expiry_date = min(self.expiry_date or overlap_end, overlap_end)
            self.save(update_fields=["expiry_date"])
        return successor, secret

    def _valid_successor(self) -> "ServiceKey | None":
        newer = ServiceKey.objects.filter(first_prefix=self.owner, created__gt=self.created, revoked=False)
        return newer.filter(Q(expiry_date=None) | Q(expiry_date__gt=timezone.now())).first()
