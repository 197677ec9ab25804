"""A mail server that delivers nothing, with an inbox page: `python -m devtools.mail_catcher`.

Every mail that it takes stays on this machine, on disk, and is shown in the browser. Some recipients are
refused on purpose (see `recipients`).
"""
