"""The history of an order for people: what happened, in sentences, and the order as it was."""
