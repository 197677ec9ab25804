"""How far the order log can be read: up to the oldest open transaction that may still append to it.

A transaction of another database of the cluster cannot. It is recognised by the lock on its own id, whose
holder's database everybody may see, or among the prepared transactions. What is not recognised counts as
ours while it is open. One that has ended since the snapshot was taken counts only if it has appended events,
which the snapshot does not show: each statement of a VOLATILE function sees what was committed before it. So
the horizon never moves back, and all readers agree.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION order_log_horizon(snapshot pg_snapshot) RETURNS xid8 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    candidate xid8;
BEGIN
    IF pg_snapshot_xmin(snapshot) = pg_snapshot_xmax(snapshot) THEN
        RETURN pg_snapshot_xmax(snapshot);
    END IF;
    FOR candidate IN
        SELECT open.id FROM pg_snapshot_xip(snapshot) AS open(id)
        WHERE NOT EXISTS (
            SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'transactionid' AND granted AND transactionid = open.id::xid
            AND datname <> current_database()
        ) AND NOT EXISTS (
            SELECT FROM pg_prepared_xacts
            WHERE transaction = open.id::xid AND database <> current_database()
        )
        ORDER BY open.id
    LOOP
        IF pg_xact_status(candidate) = 'in progress' THEN
            RETURN candidate;
        END IF;
        IF EXISTS (SELECT FROM order_event WHERE tx = candidate) THEN
            RETURN candidate;
        END IF;
    END LOOP;
    RETURN pg_snapshot_xmax(snapshot);
END
$$
"""
DROP = "DROP FUNCTION order_log_horizon(pg_snapshot)"


class Migration(migrations.Migration):
    dependencies = [("orders_app", "0006_order_search")]

    operations = [migrations.RunSQL(CREATE, DROP)]
