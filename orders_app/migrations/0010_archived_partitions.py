"""The partitions that have left the order log, each with the position of its last event."""

import orders_app.models.xid8
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders_app", "0009_partitions_of_the_log")]

    operations = [
        migrations.CreateModel(
            name="ArchivedPartition",
            fields=[
                ("name", models.CharField(max_length=63, primary_key=True, serialize=False)),
                ("tx", orders_app.models.xid8.Xid8Field()),
                ("event_id", models.BigIntegerField()),
                ("archived_at", models.DateTimeField()),
            ],
            options={"db_table": "order_event_archived", "default_permissions": ()},
        ),
    ]
