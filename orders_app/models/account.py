"""What we keep of an account beside Django's user: its name and mail address, its sign-ins, its mails."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from foundation.mail_addresses import MAX_MAIL_ADDRESS, MAX_NORMAL_FORM
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


class AccountMailAddress(models.Model):
    """The normal form of a user's mail address; one user holds it, and only what is held counts.

    A user without a row has given an address that another one held already, and gets no mail.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="account_mail_address",
    )
    normal_form = models.CharField(max_length=MAX_NORMAL_FORM, unique=True)

    class Meta:
        db_table = "account_mail_address"

    def __str__(self) -> str:
        return self.normal_form


class MailAddressChange(models.Model):
    """A new mail address that its user has not confirmed yet.

    Triggers delete it when the user's address or password changes: its link is then void.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="mail_address_change",
    )
    address = models.CharField(max_length=MAX_MAIL_ADDRESS)
    requested_at = models.DateTimeField()

    class Meta:
        db_table = "mail_address_change"

    def __str__(self) -> str:
        return self.address


class AccountMail(models.Model):
    """A mail about an account that is to be sent, or was.

    It holds neither a token nor a text: both are made when it is sent. `begun` counts the times that it may
    have been sent.
    """

    class Kind(models.TextChoices):
        """What it is about."""

        PASSWORD_RESET = "password_reset", "Link to a new password"
        CONFIRM_ADDRESS = "confirm_address", "Link that confirms a mail address"
        ADDRESS_CHANGE = "address_change", "Another mail address was asked for"
        ADDRESS_HELD = "address_held", "The mail address was given for another account"

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        REFUSED = "refused", "Refused by the mail server"
        NOT_SENT = "not_sent", "Not sent"
        UNSURE = "unsure", "Not known whether it was sent"

    kind = models.CharField(max_length=20, choices=Kind)
    address = models.CharField(max_length=MAX_NORMAL_FORM)
    user_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING)
    detail = models.TextField(blank=True, default="", db_default="")
    begun = models.PositiveSmallIntegerField(default=0, db_default=0)
    deferred = models.PositiveSmallIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "account_mail"
        indexes: ClassVar = [
            models.Index(fields=["due_at", "id"], condition=Q(state="waiting"), name="account_mail_due"),
            models.Index(fields=["created_at"], name="account_mail_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
