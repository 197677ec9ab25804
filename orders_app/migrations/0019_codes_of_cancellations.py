"""Orders that were cancelled by the first version of the code get the codes by which their events are read.

Their codes were in small letters, and all rejections had one: `upcasting` does the same with their events.
"""

from django.db import migrations

NAME_CODES = """
UPDATE orders_order SET cancel_reason_code = CASE
    WHEN cancel_reason_code <> 'stock_rejected' THEN upper(cancel_reason_code)
    WHEN split_part(cancel_reason_detail, ';', 1) LIKE '%no longer sold%' THEN 'PRODUCT_INACTIVE'
    WHEN split_part(cancel_reason_detail, ';', 1) LIKE '%no longer in the catalogue%' THEN 'PRODUCT_NOT_FOUND'
    ELSE 'INSUFFICIENT_STOCK'
END
WHERE cancel_reason_code IN ('customer_request', 'staff_request', 'stock_rejected', 'stock_released')
"""


class Migration(migrations.Migration):
    dependencies = [("orders_app", "0018_analytics")]

    operations = [migrations.RunSQL(NAME_CODES, migrations.RunSQL.noop)]
