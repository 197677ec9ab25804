"""The faults of a body: there are some exactly where msgspec refuses the body."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders_app.api.shapes import CancelOrder, ChangeStatus, EditOrder, EditOrderByStaff, PlaceOrder
from products_app.api.stock_endpoints import Line
from tests.orders_app.api.api_users import ADDRESS, order_body
from web.bodies import read_body
from web.body_faults import find_faults

VALID: dict[type[msgspec.Struct], dict[str, Any]] = {
    PlaceOrder: order_body(("665f1f77bcf86cd799439011", 2)),
    EditOrder: {"shippingAddress": ADDRESS},
    EditOrderByStaff: {"shippingAddress": ADDRESS, "trackingNumber": "1Z"},
    CancelOrder: {"reason": "Twice"},
    ChangeStatus: {"status": 3},
    Line: {"quantity": 1, "orderId": "a"},
}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 10),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(["", " ", "\x00", "a\nb", "x" * 65, "x" * 501, [], {}, [{}], [1], {"street": 1}]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside a JSON value, itself included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value that has `new` at this path."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = with_value(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("kind", VALID, ids=lambda kind: kind.__name__)
@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_body_has_faults_exactly_if_msgspec_refuses_it(
    kind: type[msgspec.Struct], data: st.DataObject
) -> None:
    body: Any = VALID[kind]
    for _ in range(data.draw(st.integers(0, 3))):
        body = with_value(body, data.draw(st.sampled_from(places(body))), data.draw(VALUES))
    if isinstance(body, dict) and data.draw(st.booleans()):
        body = {**body, "unknown": 1}
    content = msgspec.json.encode(body)
    try:
        msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError:
        assert list(find_faults(msgspec.json.decode(content), kind))
    else:
        assert not list(find_faults(msgspec.json.decode(content), kind))


PLACES = {
    b'{"reason": "a",}': "trailing comma in object at line 1, column 16",
    b'{\n  "reason": x\n}': "invalid character at line 2, column 13",
    b'{"reason": "a" "b"}': "expected ',' or '}' at line 1, column 16",
    b"{'reason': 1}": "object keys must be strings at line 1, column 2",
    b'{"reason": "a': "the body ends before the value does",
    b'{"reason": "\\ud800"}': "a text holds half of a surrogate pair",
    b'{"reason": "\xff"}': "the body is not UTF-8",
    '{"reason": "a"}'.encode("utf-16"): "invalid character at line 1, column 1",
    b'{"reason": NaN}': "invalid character at line 1, column 12",
}


@pytest.mark.parametrize("body", PLACES)
def test_malformed_json_is_refused_with_the_place(body: bytes) -> None:
    with pytest.raises(Exception, match="JSON parse error") as refusal:
        read_body(body, CancelOrder)
    assert str(refusal.value) == f"JSON parse error: {PLACES[body]}."


def test_the_last_of_two_fields_of_one_name_counts() -> None:
    assert read_body(b'{"status": 2, "status": 3}', ChangeStatus) == ChangeStatus(3)  # type: ignore[arg-type]
