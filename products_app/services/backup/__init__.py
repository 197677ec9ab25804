"""Backups of the collections in MongoDB, made while traffic runs, and their restore (docs/backup.md)."""
