"""The documents as a site that needs no other host: `python -m devtools.docs_site [FOLDER]`."""
