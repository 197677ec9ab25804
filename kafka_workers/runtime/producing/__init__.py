"""Sending messages and waiting for their acknowledgement."""
