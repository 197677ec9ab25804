"""The demo's shop: its customers, and weeks of their orders, as `seed_demo --days` writes them."""
