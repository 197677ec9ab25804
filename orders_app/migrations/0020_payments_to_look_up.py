from django.db import migrations, models

# Those of before were looked up by way of their orders at once.
RESOLVE = "UPDATE gateway_event SET resolved_at = received_at WHERE kind = 'payment' AND resolved_at IS NULL"


class Migration(migrations.Migration):
    dependencies = [("orders_app", "0019_codes_of_cancellations")]

    operations = [
        migrations.RunSQL(RESOLVE, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="gatewayevent",
            index=models.Index(
                condition=models.Q(kind="payment", resolved_at=None),
                fields=["received_at", "event_id"],
                name="gateway_event_waiting",
            ),
        ),
    ]
