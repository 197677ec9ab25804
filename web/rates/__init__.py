"""How many requests of one caller all processes together have let in (docs/adr/0023)."""
