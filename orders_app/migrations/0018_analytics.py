"""The read models of analytics: two copies of each table, and views that show the one in use.

A migration that changes a column of the tables makes the views anew: they have the columns of their making.
"""

import orders_app.models.money_field
from django.db import migrations, models


VIEWS = """
CREATE VIEW analytics_order AS SELECT * FROM analytics_order_a;
CREATE VIEW analytics_line AS SELECT * FROM analytics_line_a;
"""
DROP = "DROP VIEW analytics_order; DROP VIEW analytics_line"


class Migration(migrations.Migration):

    dependencies = [
        ('orders_app', '0017_last_payment_audit'),
    ]

    operations = [
        migrations.CreateModel(
            name='AnalyticsLine',
            fields=[
                ('pk', models.CompositePrimaryKey('order_id', 'product_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('order_id', models.UUIDField()),
                ('product_id', models.CharField(max_length=64)),
                ('product_name', models.TextField(blank=True, db_default='', default='')),
                ('category', models.TextField(blank=True, db_default='', default='')),
                ('quantity', models.PositiveIntegerField()),
                ('price', orders_app.models.money_field.MoneyField()),
                ('placed_at', models.DateTimeField(null=True)),
                ('rejected', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'db_table': 'analytics_line',
                'managed': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnalyticsOrder',
            fields=[
                ('order_id', models.UUIDField(primary_key=True, serialize=False)),
                ('user_id', models.BigIntegerField(null=True)),
                ('placed_at', models.DateTimeField(null=True)),
                ('currency', models.CharField(blank=True, db_default='', default='', max_length=3)),
                ('total', orders_app.models.money_field.MoneyField(null=True)),
                ('pieces', models.IntegerField(null=True)),
                ('payment_method', models.PositiveSmallIntegerField(choices=[(1, 'Credit card'), (2, 'Debit card'), (3, 'UPI'), (4, 'Net banking'), (5, 'Wallet'), (6, 'Cash on delivery'), (7, 'Stripe')], null=True)),
                ('status', models.PositiveSmallIntegerField(choices=[(1, 'Pending'), (2, 'Processing'), (3, 'Shipped'), (4, 'Delivered'), (5, 'Cancelled')], db_default=1, default=1)),
                ('status_version', models.PositiveIntegerField(db_default=0, default=0)),
                ('reserved_at', models.DateTimeField(null=True)),
                ('reserved_version', models.PositiveIntegerField(null=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('paid_at', models.DateTimeField(null=True)),
                ('paid_version', models.PositiveIntegerField(null=True)),
                ('refunded', orders_app.models.money_field.MoneyField(db_default=0, default=0)),
                ('refunded_version', models.PositiveIntegerField(db_default=0, default=0)),
                ('shipped_at', models.DateTimeField(null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('cancelled_at', models.DateTimeField(null=True)),
                ('cancel_code', models.CharField(blank=True, db_default='', default='', max_length=40)),
                ('rejected', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'db_table': 'analytics_order',
                'managed': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnalyticsLineA',
            fields=[
                ('pk', models.CompositePrimaryKey('order_id', 'product_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('order_id', models.UUIDField()),
                ('product_id', models.CharField(max_length=64)),
                ('product_name', models.TextField(blank=True, db_default='', default='')),
                ('category', models.TextField(blank=True, db_default='', default='')),
                ('quantity', models.PositiveIntegerField()),
                ('price', orders_app.models.money_field.MoneyField()),
                ('placed_at', models.DateTimeField(null=True)),
                ('rejected', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'db_table': 'analytics_line_a',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnalyticsLineB',
            fields=[
                ('pk', models.CompositePrimaryKey('order_id', 'product_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('order_id', models.UUIDField()),
                ('product_id', models.CharField(max_length=64)),
                ('product_name', models.TextField(blank=True, db_default='', default='')),
                ('category', models.TextField(blank=True, db_default='', default='')),
                ('quantity', models.PositiveIntegerField()),
                ('price', orders_app.models.money_field.MoneyField()),
                ('placed_at', models.DateTimeField(null=True)),
                ('rejected', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'db_table': 'analytics_line_b',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnalyticsOrderA',
            fields=[
                ('order_id', models.UUIDField(primary_key=True, serialize=False)),
                ('user_id', models.BigIntegerField(null=True)),
                ('placed_at', models.DateTimeField(null=True)),
                ('currency', models.CharField(blank=True, db_default='', default='', max_length=3)),
                ('total', orders_app.models.money_field.MoneyField(null=True)),
                ('pieces', models.IntegerField(null=True)),
                ('payment_method', models.PositiveSmallIntegerField(choices=[(1, 'Credit card'), (2, 'Debit card'), (3, 'UPI'), (4, 'Net banking'), (5, 'Wallet'), (6, 'Cash on delivery'), (7, 'Stripe')], null=True)),
                ('status', models.PositiveSmallIntegerField(choices=[(1, 'Pending'), (2, 'Processing'), (3, 'Shipped'), (4, 'Delivered'), (5, 'Cancelled')], db_default=1, default=1)),
                ('status_version', models.PositiveIntegerField(db_default=0, default=0)),
                ('reserved_at', models.DateTimeField(null=True)),
                ('reserved_version', models.PositiveIntegerField(null=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('paid_at', models.DateTimeField(null=True)),
                ('paid_version', models.PositiveIntegerField(null=True)),
                ('refunded', orders_app.models.money_field.MoneyField(db_default=0, default=0)),
                ('refunded_version', models.PositiveIntegerField(db_default=0, default=0)),
                ('shipped_at', models.DateTimeField(null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('cancelled_at', models.DateTimeField(null=True)),
                ('cancel_code', models.CharField(blank=True, db_default='', default='', max_length=40)),
                ('rejected', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'db_table': 'analytics_order_a',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnalyticsOrderB',
            fields=[
                ('order_id', models.UUIDField(primary_key=True, serialize=False)),
                ('user_id', models.BigIntegerField(null=True)),
                ('placed_at', models.DateTimeField(null=True)),
                ('currency', models.CharField(blank=True, db_default='', default='', max_length=3)),
                ('total', orders_app.models.money_field.MoneyField(null=True)),
                ('pieces', models.IntegerField(null=True)),
                ('payment_method', models.PositiveSmallIntegerField(choices=[(1, 'Credit card'), (2, 'Debit card'), (3, 'UPI'), (4, 'Net banking'), (5, 'Wallet'), (6, 'Cash on delivery'), (7, 'Stripe')], null=True)),
                ('status', models.PositiveSmallIntegerField(choices=[(1, 'Pending'), (2, 'Processing'), (3, 'Shipped'), (4, 'Delivered'), (5, 'Cancelled')], db_default=1, default=1)),
                ('status_version', models.PositiveIntegerField(db_default=0, default=0)),
                ('reserved_at', models.DateTimeField(null=True)),
                ('reserved_version', models.PositiveIntegerField(null=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('paid_at', models.DateTimeField(null=True)),
                ('paid_version', models.PositiveIntegerField(null=True)),
                ('refunded', orders_app.models.money_field.MoneyField(db_default=0, default=0)),
                ('refunded_version', models.PositiveIntegerField(db_default=0, default=0)),
                ('shipped_at', models.DateTimeField(null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('cancelled_at', models.DateTimeField(null=True)),
                ('cancel_code', models.CharField(blank=True, db_default='', default='', max_length=40)),
                ('rejected', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'db_table': 'analytics_order_b',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnalyticsProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(max_length=249)),
                ('partition', models.PositiveIntegerField()),
                ('handled_until', models.DateTimeField()),
            ],
            options={
                'db_table': 'analytics_progress',
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('topic', 'partition'), name='analytics_progress_partition')],
            },
        ),
        migrations.RunSQL(VIEWS, DROP),
    ]
