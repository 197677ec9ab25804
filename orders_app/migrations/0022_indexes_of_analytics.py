"""Figures read their period by an index."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders_app', '0021_redactions'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='analyticslinea',
            index=models.Index(fields=['placed_at'], name='analyticslinea_placed'),
        ),
        migrations.AddIndex(
            model_name='analyticslineb',
            index=models.Index(fields=['placed_at'], name='analyticslineb_placed'),
        ),
        migrations.AddIndex(
            model_name='analyticsordera',
            index=models.Index(fields=['placed_at'], name='analyticsordera_placed'),
        ),
        migrations.AddIndex(
            model_name='analyticsorderb',
            index=models.Index(fields=['placed_at'], name='analyticsorderb_placed'),
        ),
    ]
