"""The HTTP machinery that all apps share: it knows no order, no product and no topic."""
