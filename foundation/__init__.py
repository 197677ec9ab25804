"""When work is done: together with what comes at the same time, after a pause, or as soon as it is there."""
