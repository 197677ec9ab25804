"""Doing together what comes at the same time, because a batch costs little more than one thing alone."""
