"""The queue of account mails: what is asked for waits in a table, in the transaction of its request."""

from orders_app.models import AccountMail

Kind = AccountMail.Kind


def queue_mail(*, kind: Kind, address: str, user_id: int | None = None) -> None:
    """Keep that this mail is to be sent; the email consumer finds it."""
    AccountMail.objects.create(kind=kind, address=address, user_id=user_id)
