"""`manage.py advance_transactions`."""

from typing import Any

from foundation.operator_command import OperatorCommand, progress_bar
from orders_app.event_log.transactions import advance_transactions, transactions_ahead


class Command(OperatorCommand):
    """Brings a new server's transaction ids past those of the order log."""

    help = (
        "After a restore from pg_dump into a new server: uses up transaction ids until the server has passed "
        "those of the order log, without which its readers would read nothing. Changes no data. Where "
        "nothing is to be done it says so (docs/disaster.md)."
    )

    def handle(self, **_: Any) -> None:
        """Advance, and say by how many."""
        with progress_bar("Transactions used up", transactions_ahead()) as progress:
            used = advance_transactions(progress)
        self.stdout.write(
            f"{used} transactions used up: the server has passed the order log."
            if used
            else "The server has passed the order log already: nothing to do."
        )
