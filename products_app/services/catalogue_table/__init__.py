"""The catalogue as a table in CSV, written and read back (docs/catalogue.md)."""
