"""Access to the broker: client configuration, topics, users and ACLs, lag."""
