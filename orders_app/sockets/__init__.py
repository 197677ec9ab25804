"""WebSockets at `/ws/orders/`, which send messages about orders to browsers (docs/sockets.md)."""
