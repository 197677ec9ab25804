"""The format of a message, its headers, and the failures that they record."""
