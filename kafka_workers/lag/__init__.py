"""Consumer lag: how far and how long each group is behind, and whether it keeps up."""
