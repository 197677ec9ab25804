"""How many account mails wait to be sent, for `/metrics`."""

import structlog
from django.db import Error as DatabaseUnavailable

from foundation.metrics import ACCOUNT_MAILS_WAITING
from orders_app.models import AccountMail

log = structlog.get_logger(__name__)


def update_account_mails_waiting() -> None:
    """Set the gauge; without the database it stays as it was."""
    try:
        number = AccountMail.objects.filter(state=AccountMail.State.WAITING).count()
    except DatabaseUnavailable as error:
        log.warning("the number of account mails that wait is unknown", error=str(error))
    else:
        ACCOUNT_MAILS_WAITING.set(number)
