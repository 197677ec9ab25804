"""The table in which the requests of callers are counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Rows are updated often and in place: the free space lets PostgreSQL do so without touching indexes."""

    initial = True

    operations = [
        migrations.CreateModel(
            name="RequestCount",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("current", models.BigIntegerField()),
                ("previous", models.BigIntegerField()),
                ("turns_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(db_index=True)),
            ],
            options={"db_table": "request_count"},
        ),
        migrations.RunSQL("ALTER TABLE request_count SET (fillfactor = 50)", migrations.RunSQL.noop),
    ]
