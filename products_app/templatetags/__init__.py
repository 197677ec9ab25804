"""Template tags that show products."""
