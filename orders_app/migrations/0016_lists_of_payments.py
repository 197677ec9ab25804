from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders_app', '0015_account_mail'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='refund',
            name='order_refund_failed',
        ),
        migrations.AddIndex(
            model_name='gatewayevent',
            index=models.Index(condition=models.Q(('kind', 'payment'), _negated=True), fields=['received_at', 'event_id'], name='gateway_event_staff'),
        ),
        migrations.AddIndex(
            model_name='gatewayevent',
            index=models.Index(fields=['reference'], name='gateway_event_reference'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('refund_id', ''), _negated=True), fields=['refund_id'], name='order_refund_refund_id'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('state__in', ['requested', 'failed'])), fields=['state', 'requested_at', 'id'], name='order_refund_open'),
        ),
    ]
