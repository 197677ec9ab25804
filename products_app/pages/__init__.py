"""The pages of the catalogue: the front door, and a page for each product."""
