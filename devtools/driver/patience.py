"""How long callers wait for what they expect, where nothing promises a time."""

PATIENCE_SECONDS = 60
"""Far longer than anything takes, so that only what never comes fails, on a slow machine too."""
