"""What we keep of an account beside Django's user: the normal form of its name, and its sign-ins."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from foundation.user_names import MAX_NAME


class AccountName(models.Model):
    """The normal form of a user's name; one user has it.

    A user without a row collides with an older one (they registered before names were compared by their
    normal form), and is found by the exact name alone.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="account_name"
    )
    normal_form = models.CharField(max_length=MAX_NAME, unique=True)

    class Meta:
        db_table = "account_name"

    def __str__(self) -> str:
        return self.normal_form


class SignIn(models.Model):
    """A sign-in by password: its id is in all tokens that descend from it.

    Triggers end the sign-ins of a user whose password changes, who is deactivated, or who is deleted; so the
    user is no foreign key.
    """

    id = models.CharField(max_length=32, primary_key=True)
    user_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sign_in"
        indexes: ClassVar = [
            models.Index(fields=["user_id"], name="sign_in_user"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="sign_in_ended"),
        ]

    def __str__(self) -> str:
        return self.id
