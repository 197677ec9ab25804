"""The database itself refuses to change or remove what the log says."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION order_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order_event is append-only: % refused', TG_OP;
END
$$;
CREATE TRIGGER order_event_append_only BEFORE UPDATE OR DELETE ON order_event
    FOR EACH STATEMENT EXECUTE FUNCTION order_event_refuse_change();
"""
ALLOW = """
DROP TRIGGER order_event_append_only ON order_event;
DROP FUNCTION order_event_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("orders_app", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
