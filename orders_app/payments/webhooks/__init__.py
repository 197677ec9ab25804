"""What the gateway tells by webhook: signed by it, read, and acted on once."""
