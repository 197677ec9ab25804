"""The jobs of the compose file that have no program of their own: they run in the image of the project."""
