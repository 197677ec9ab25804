"""The web server: it reads requests whole, within bounds, before a thread works on them (docs/adr/0019)."""
