"""The form of a message, its headers, and what they say about earlier failures."""
