from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders_app', '0012_mail'),
    ]

    operations = [
        migrations.CreateModel(
            name='GatewayEvent',
            fields=[
                ('event_id', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('type', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('payment', 'Payment that is looked up'), ('unknown_payment', 'Payment that no order knows'), ('dispute', 'Payment that the customer disputes'), ('refund_failed', 'Refund that failed later'), ('unknown_refund', 'Refund that no order asked for'), ('contradiction', 'Answer that contradicts its order')], max_length=20)),
                ('payment_id', models.CharField(blank=True, max_length=255)),
                ('reference', models.CharField(blank=True, max_length=255)),
                ('order_id', models.UUIDField(null=True)),
                ('order_number', models.CharField(blank=True, max_length=12)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=15, null=True)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('summary', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'db_table': 'gateway_event',
                'ordering': ['-received_at', '-event_id'],
                'indexes': [models.Index(fields=['received_at', 'event_id'], name='gateway_event_received'), models.Index(condition=models.Q(('resolved_at', None), models.Q(('kind', 'payment'), _negated=True)), fields=['received_at', 'event_id'], name='gateway_event_open'), models.Index(fields=['payment_id'], name='gateway_event_payment_id'), models.Index(condition=models.Q(('order_id__isnull', False)), fields=['order_id'], name='gateway_event_order')],
            },
        ),
        migrations.AlterModelOptions(
            name='order',
            options={'ordering': ['-created_at', '-id'], 'permissions': [('override_checks', 'Can let an order go on without its stock or payment'), ('refund_orders', 'Can give back what was paid for an order')]},
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['ended_at', 'id'], name='order_payment_ended'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['ended_at', 'id'], name='order_payment_failed'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(fields=['requested_at', 'id'], name='order_refund_requested'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['requested_at', 'id'], name='order_refund_failed'),
        ),
    ]
