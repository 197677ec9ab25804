"""Accounts of customers: registration, tokens, authentication."""
