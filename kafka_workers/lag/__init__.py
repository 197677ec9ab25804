"""Consumer lag by people's measure: how far and how long each group is behind, and whether it keeps up."""
