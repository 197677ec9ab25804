import secrets


def new_secrets() -> dict[str, str]:
    """The settings nobody should have to invent, made at random."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        # A prefix by which the key is found and the secret itself, as djangorestframework-api-key expects.
        "SERVICE_API_KEY": f"{secrets.token_hex(4)}.{secrets.token_hex(16)}",
    }
