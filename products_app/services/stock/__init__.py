"""The stock service: reserves and releases stock, and audits it."""
