"""The data of events that an earlier version of the code wrote, brought into the shape of today (ADR 35).

The data of an event has a shape, which is numbered by event type: `"shape": 2`. Data without a number has
shape 1. UPCASTERS has a function from each shape to the next. A new one, and with it a new number, is needed
where the reader of the new shape cannot read the old one, or would take it for something else. A new field
that may be absent needs neither.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from orders_app.document import CancelCode
from orders_app.event_data import EventType

Data = dict[str, Any]
Upcaster = Callable[[Data], Data]
"""Takes the data of an event in one shape and gives it in the next; it may change what it is given."""

# What the first sentences about a rejection said, when they all had one code.
_REJECTIONS = {
    "no longer sold": CancelCode.PRODUCT_INACTIVE,
    "no longer in the catalogue": CancelCode.PRODUCT_NOT_FOUND,
}


def _name_cancel_code(data: Data) -> Data:
    """Codes of cancellations were in small letters, and all rejections had the code `stock_rejected`."""
    reason = data["changes"]["cancelReason"]
    if reason["code"] == "stock_rejected":
        first = reason["detail"].partition(";")[0]
        codes = [code for words, code in _REJECTIONS.items() if words in first]
        reason["code"] = codes[0] if codes else CancelCode.INSUFFICIENT_STOCK
    reason["code"] = reason["code"].upper()
    return data


def _take_back_by_null(data: Data) -> Data:
    """A tracking number that was taken back was an empty text."""
    changes = data["changes"]
    if changes.get("trackingNumber") == "":
        changes["trackingNumber"] = None
    return data


UPCASTERS: Mapping[EventType, tuple[Upcaster, ...]] = {
    EventType.UPDATED: (_take_back_by_null,),
    EventType.CANCELLED: (_name_cancel_code,),
}
"""The upcasters of each type of event, that of shape 1 first."""


def current_shape(event_type: EventType) -> int:
    """The shape in which events of this type are written now."""
    return 1 + len(UPCASTERS.get(event_type, ()))


def upcast(event_type: EventType, data: bytes) -> bytes | None:
    """The data of an event in the shape of today; None where it has that shape already.

    Raises msgspec.ValidationError where the data is not of any shape that this version of the code knows.
    """
    fields = msgspec.json.decode(data, type=Data)
    current, shape = current_shape(event_type), fields.get("shape", 1)
    if shape == current:
        return None
    if not isinstance(shape, int) or not 0 < shape < current:
        raise msgspec.ValidationError(f"its shape is {shape!r}, and this version reads 1 to {current}")
    try:
        for to_next_shape in UPCASTERS[event_type][shape - 1 :]:
            fields = to_next_shape(fields)
    except (AttributeError, LookupError, TypeError) as error:
        raise msgspec.ValidationError(f"it does not have the shape {shape}: {error!r}") from error
    return msgspec.json.encode(fields | {"shape": current})
