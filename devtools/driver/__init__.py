"""Drives a running system from outside, as customers, staff and neighbours do."""
