"""Template tags that show orders."""
