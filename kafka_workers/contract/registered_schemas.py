"""What identifies the schemas of our messages in the schema registry, as far as this process knows."""

_ids: dict[str, bytes] = {}


def id_of(topic: str) -> bytes | None:
    """The id of the topic's schema, as the header of its messages has it; None while it is unknown."""
    return _ids.get(topic)


def record_id(topic: str, schema_id: bytes) -> None:
    """From now on, messages of this topic carry the id."""
    _ids[topic] = schema_id


def forget_ids() -> None:
    """From now on, messages carry no id."""
    _ids.clear()
