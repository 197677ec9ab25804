"""Links in mails about accounts."""

from urllib.parse import parse_qs, urlsplit


def parts_of(link: str) -> dict[str, str]:
    """What is in the query of a link."""
    return {name: value for name, [value] in parse_qs(urlsplit(link).query).items()}
