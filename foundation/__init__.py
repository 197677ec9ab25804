"""What all packages use: metrics, logging, tracing, group commit, pacing, outages. Imports none of them."""
