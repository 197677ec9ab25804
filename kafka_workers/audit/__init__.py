"""The audit: compares stock, ledger and orders while traffic runs (docs/audit.md)."""
