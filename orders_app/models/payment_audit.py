"""The last audit of payments."""

from django.db import models


class LastPaymentAudit(models.Model):
    """How many differences the last audit of payments left; one row."""

    differences = models.PositiveBigIntegerField()
    audited_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "last_payment_audit"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.differences} differences at {self.audited_at}"
