"""How orders are found: by parts of the number, city and names of the customer, without case and accents."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.functions.text
import orders_app.models.search_words
from django.conf import settings
from django.db import migrations, models

# `normalize` parts letters from their accents; the letters of `translate` are no such composition.
CREATE_FUNCTIONS = """
CREATE FUNCTION search_form(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    translate(regexp_replace(lower(normalize(content, NFKD)), '[\\u0300-\\u036f]', '', 'g'), 'łøđħı', 'lodhi');

CREATE FUNCTION parts_of_three(digits text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    array_to_tsvector(array_remove(ARRAY[
        substr(digits, 3, 3), substr(digits, 4, 3), substr(digits, 5, 3),
        substr(digits, 6, 3), substr(digits, 7, 3), substr(digits, 8, 3)
    ], ''));

CREATE FUNCTION number_parts(event_data jsonb) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    parts_of_three(lower(replace(coalesce(event_data ->> 'orderNumber', ''), '-', '')));

CREATE FUNCTION user_words(username text, first_name text, last_name text, email text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    to_tsvector(
        'simple', search_form(username || ' ' || first_name || ' ' || last_name || ' ' || email)
    );

CREATE INDEX auth_user_words ON auth_user USING gin (user_words(username, first_name, last_name, email));
"""
DROP_FUNCTIONS = """
DROP INDEX auth_user_words;
DROP FUNCTION user_words(text, text, text, text);
DROP FUNCTION number_parts(jsonb);
DROP FUNCTION parts_of_three(text);
DROP FUNCTION search_form(text);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orders_app', '0005_contradictions_and_overrides'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(CREATE_FUNCTIONS, DROP_FUNCTIONS),
        migrations.RemoveIndex(
            model_name='order',
            name='order_tracking',
        ),
        migrations.RemoveIndex(
            model_name='orderitem',
            name='orderitem_product_name',
        ),
        migrations.AlterField(
            model_name='order',
            name='state',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name='order',
            name='zip_code',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('tracking_number'), name='text_pattern_ops'), condition=models.Q(('tracking_number', ''), _negated=True), name='order_tracking'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(django.contrib.postgres.indexes.OpClass(orders_app.models.search_words.SearchForm('city'), name='text_pattern_ops'), name='order_city'),
        ),
        migrations.AddIndex(
            model_name='orderevent',
            index=django.contrib.postgres.indexes.GinIndex(orders_app.models.search_words.NumberParts('data'), condition=models.Q(('version', 1)), name='order_event_number'),
        ),
        migrations.AddIndex(
            model_name='orderitem',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector(orders_app.models.search_words.SearchForm('product_name'), config='simple'), name='orderitem_product_name'),
        ),
    ]
