"""Clients that use a running system from outside, as customers, staff and external services do."""
