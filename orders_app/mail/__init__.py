"""Mail to customers about their orders."""
