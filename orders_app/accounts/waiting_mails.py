"""How many account mails wait to be sent, for `/metrics`."""

from foundation.metrics import ACCOUNT_MAILS_WAITING
from orders_app.models import AccountMail


def update_account_mails_waiting() -> None:
    """Set the gauge. Raises database errors."""
    ACCOUNT_MAILS_WAITING.set(AccountMail.objects.filter(state=AccountMail.State.WAITING).count())
