"""`manage.py register_service_key`."""

from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework_api_key.crypto import concatenate

from products_app.models import ROTATION_OVERLAP, ServiceKey

NAME = "SERVICE_API_KEY"
PREFIX_LENGTH = 8


class Command(BaseCommand):
    """Stores the service key that the environment sets."""

    help = (
        "Make the key in SERVICE_API_KEY valid for the endpoints that services call (reserve and release). "
        "The key that was registered before ends in a day. Keys made in the admin are left alone."
    )

    def handle(self, *_: Any, **options: Any) -> None:
        """Store the hash of the key; the key that was registered before ends in a day."""
        prefix, _dot, secret = settings.SERVICE_API_KEY.partition(".")
        if len(prefix) != PREFIX_LENGTH or not secret:
            raise CommandError(
                "SERVICE_API_KEY must be eight characters, a dot and a long random secret, such as "
                "`xxxxxxxx.yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy`."
            )
        if register_key(settings.SERVICE_API_KEY, prefix).revoked:
            raise CommandError("This SERVICE_API_KEY has been revoked; set another one.")
        if options["verbosity"]:
            self.stdout.write(f"The service key {prefix}.… is valid.")


def register_key(key: str, prefix: str) -> ServiceKey:
    """Store this key as the one of the environment; the one before ends after ROTATION_OVERLAP."""
    hashed = ServiceKey.objects.key_generator.hash(key)
    identity = concatenate(prefix, hashed)
    with transaction.atomic():
        earlier = ServiceKey.objects.filter(name=NAME).exclude(pk=identity)
        owner = next((key.owner for key in earlier), prefix)
        end = timezone.now() + ROTATION_OVERLAP
        earlier.filter(Q(expiry_date=None) | Q(expiry_date__gt=end)).update(expiry_date=end)
        fields = {"prefix": prefix, "hashed_key": hashed, "name": NAME, "first_prefix": owner}
        # A key that is registered again does not end any more.
        key_of_now, _ = ServiceKey.objects.update_or_create(
            pk=identity, defaults={"expiry_date": None}, create_defaults=fields
        )
        return cast("ServiceKey", key_of_now)
