"""What limits first at a rate of orders: a small model, from measured costs (docs/scaling.md, ADR 54)."""
