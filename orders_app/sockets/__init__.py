"""Orders told live to browsers: `/ws/orders/` (docs/sockets.md)."""
