"""Redactions: of the changes of an event, only those that erase personal data pass, and only if recorded.

`redacted_event_data` says what is replaced in an event. The services that erase use it, and so does the
trigger: an update of an event passes only if its data becomes exactly that, with the id of a redaction of the
same user that is under way, and nothing else changes.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

# People's words: of customers and staff, not of services, whose reasons are sentences of ours.
REDACTED = """
CREATE FUNCTION redacted_event_data(actor text, data jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    erased CONSTANT jsonb := '"erased"';
BEGIN
    IF jsonb_typeof(data #> '{changes,shippingAddress}') = 'object' THEN
        data := jsonb_set(data, '{changes,shippingAddress}', jsonb_build_object(
            'street', erased, 'city', erased, 'state', '', 'zipCode', '', 'country', erased
        ));
    END IF;
    IF data #>> '{changes,trackingNumber}' <> '' THEN
        data := jsonb_set(data, '{changes,trackingNumber}', erased);
    END IF;
    IF data ->> 'trackingNumber' <> '' THEN
        data := jsonb_set(data, '{trackingNumber}', erased);
    END IF;
    IF upper(data #>> '{changes,cancelReason,code}') IN ('CUSTOMER_REQUEST', 'STAFF_REQUEST') THEN
        data := jsonb_set(data, '{changes,cancelReason,detail}', erased);
    END IF;
    IF data ->> 'reason' <> '' AND actor NOT LIKE 'service:%' THEN
        data := jsonb_set(data, '{reason}', erased);
    END IF;
    IF data #>> '{override,reason}' <> '' THEN
        data := jsonb_set(data, '{override,reason}', erased);
    END IF;
    RETURN data;
END
$$;
"""
NOT_REDACTED = "DROP FUNCTION redacted_event_data(text, jsonb);"

# An update is judged row by row; the trigger of the statement refuses deletions. PostgreSQL gives each
# partition that is added or moved the trigger of its table.
LET_REDACTIONS_PASS = """
CREATE OR REPLACE FUNCTION order_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'order_event is append-only: % refused', TG_OP;
END
$$;

CREATE FUNCTION order_event_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    redaction_id CONSTANT jsonb := NEW.data -> 'redaction';
BEGIN
    IF jsonb_typeof(redaction_id) = 'number'
        AND NEW.data = redacted_event_data(OLD.actor, OLD.data) || jsonb_build_object('redaction', redaction_id)
        AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data'
        AND EXISTS (
            SELECT FROM redaction
            WHERE id = redaction_id::bigint AND user_id = OLD.user_id AND ended_at IS NULL
        )
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'order_event is append-only: % refused', TG_OP;
END
$$;

SET LOCAL lock_timeout = '5s';
CREATE TRIGGER order_event_redacted_only BEFORE UPDATE ON order_event
    FOR EACH ROW EXECUTE FUNCTION order_event_refuse_rewriting();
CREATE TRIGGER order_event_redacted_only BEFORE UPDATE ON order_event_archive
    FOR EACH ROW EXECUTE FUNCTION order_event_refuse_rewriting();
"""
LET_NOTHING_PASS = """
DROP TRIGGER order_event_redacted_only ON order_event_archive;
DROP TRIGGER order_event_redacted_only ON order_event;
DROP FUNCTION order_event_refuse_rewriting();
CREATE OR REPLACE FUNCTION order_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order_event is append-only: % refused', TG_OP;
END
$$;
"""

KEEP_RECORDS = """
CREATE FUNCTION redaction_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL AND NEW.id = OLD.id AND NEW.user_id = OLD.user_id
        AND NEW.requested_by = OLD.requested_by AND NEW.begun_at = OLD.begun_at
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a redaction is a record: % refused', TG_OP;
END
$$;
CREATE TRIGGER redaction_record BEFORE UPDATE OR DELETE ON redaction
    FOR EACH ROW EXECUTE FUNCTION redaction_refuse_change();
"""
KEEP_NO_RECORDS = """
DROP TRIGGER redaction_record ON redaction;
DROP FUNCTION redaction_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [("orders_app", "0020_payments_to_look_up")]

    operations = [
        migrations.CreateModel(
            name="Redaction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user_id", models.BigIntegerField()),
                ("requested_by", models.CharField(max_length=150)),
                ("begun_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("replaced", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "redaction",
                "ordering": ["-begun_at", "-id"],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["user_id"], name="redaction_user")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("user_id",), name="redaction_open"
                    )
                ],
            },
        ),
        migrations.RunSQL(KEEP_RECORDS, KEEP_NO_RECORDS),
        migrations.RunSQL(REDACTED, NOT_REDACTED),
        migrations.RunSQL(LET_REDACTIONS_PASS, LET_NOTHING_PASS),
    ]
