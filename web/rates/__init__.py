"""How many requests of one caller all processes together have let in (docs/adr/0023)."""

COUNTED = "web.counted"
"""In the environ: the kinds of throttles that have counted the request."""
