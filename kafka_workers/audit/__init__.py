"""Do stock, ledger and orders agree? Asked while the shop is open (docs/audit.md)."""
