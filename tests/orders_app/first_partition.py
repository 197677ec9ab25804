"""Another end for the first partition of the order log."""

from django.db import connection


def let_first_partition_end(months: int) -> None:
    """Lets it end where the month begins that is so many months ahead; the log must have no second one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, order_id_from(order_log_month(%s)) FROM order_event_partition "
            "WHERE upper_bound IS NOT NULL",
            [months],
        )
        [(first, bound)] = cursor.fetchall()
        cursor.execute(f"ALTER TABLE order_event DETACH PARTITION {first}")
        cursor.execute(
            f"ALTER TABLE order_event ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{bound}')"
        )
