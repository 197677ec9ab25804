"""Takes the pictures of README and documents: `.venv/bin/python -m devtools.pictures`."""
