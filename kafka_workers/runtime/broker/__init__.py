"""Reaching the broker: client configuration, topics, access control, lag."""
