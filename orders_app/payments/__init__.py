"""The payment service: charges and refunds at the gateway, and what it answers to the orders."""
