"""Failures in the Django admin: dead letters and parked events."""

from kafka_workers.admin.dead_letter_admin import DeadLetterAdmin
from kafka_workers.admin.parked_event_admin import ParkedEventAdmin

__all__ = ["DeadLetterAdmin", "ParkedEventAdmin"]
