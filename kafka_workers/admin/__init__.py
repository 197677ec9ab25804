"""What did not go its way, in the Django admin: dead letters, and events that could not be published."""

from kafka_workers.admin.dead_letter_admin import DeadLetterAdmin
from kafka_workers.admin.set_aside_admin import SetAsideEventAdmin

__all__ = ["DeadLetterAdmin", "SetAsideEventAdmin"]
