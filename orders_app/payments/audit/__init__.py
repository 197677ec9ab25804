"""The gateway's books and the orders compared, while payments are under way (docs/payments.md)."""
