"""The versions that are supported, and the run of a part of the suite with each of them."""
