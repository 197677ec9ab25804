"""Reading a value: a key that is given twice is refused at any depth and in any spelling."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.runtime.exceptions import InvalidMessage
from products_app.messages import InventoryReserved, StockLine

READER = ValueReader(InventoryReserved)
LINE = '{"productId": "p", "quantity": 1, "newStock": 2}'
Pairs = list[tuple[str, str]]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'{{"orderId": "o", "items": [{LINE}], "orderId": "o"}}', id="at the top"),
        pytest.param(f'{{"orderId":"o","items":[{LINE}],"items":[]}}', id="a list, the second empty"),
        pytest.param(f'{{"orderId":"o","items":[],"items":[{LINE}]}}', id="a list, the first empty"),
        pytest.param(f'{{"orderId": "o", "items": [{LINE}, {LINE[:-1]}, "quantity": 1}}]}}', id="in a line"),
        pytest.param('{"orderId": "o", "items": [], "x": 1, "x": 2}', id="a key that is not known"),
        pytest.param(
            '{"orderId": "o", "items": [], "x": [{"y": 1, "y": 2}]}', id="deep in what is not known"
        ),
        pytest.param(
            '{"orderId"\n\t :"o", "orderId"\r :"o", "items" : []}', id="with blanks before the colon"
        ),
        pytest.param('{"orderId": "o", "order\\u0049d": "o", "items": []}', id="once with an escape"),
    ],
)
def test_a_key_given_twice_is_refused(text: str) -> None:
    with pytest.raises(InvalidMessage, match="twice in one object"):
        READER.read(text.encode())


@pytest.mark.parametrize("order_id", ['":', 'a":"b', "\\", '\\":', "orderId", ':":":'])
def test_text_that_looks_like_a_key_is_not_one(order_id: str) -> None:
    value = json.dumps({"orderId": order_id, "items": [json.loads(LINE)]}).encode()
    assert READER.read(value) == InventoryReserved(order_id, [StockLine("p", 1, 2)])


def written(pairs: Pairs, blanks: list[str]) -> str:
    """An object of these keys and values, with blanks before its colons."""
    return (
        "{"
        + ",".join(
            f"{json.dumps(key)}{blank}:{value}" for (key, value), blank in zip(pairs, blanks, strict=False)
        )
        + "}"
    )


texts = st.text(st.sampled_from('":, \\{}[]ab'), min_size=1, max_size=8)
blanks = st.lists(st.sampled_from(["", "", " ", "\n", "\t\r "]), min_size=12, max_size=12)
extra = st.lists(
    st.tuples(st.sampled_from(["quantity", "orderId", "items", "x"]), st.sampled_from(["1", '"o"', "[]"])),
    max_size=2,
)


@st.composite
def objects(draw: st.DrawFn, required: Pairs) -> tuple[str, bool]:
    """An object with the required keys and perhaps more, in any order; and whether it has a key twice."""
    pairs = draw(st.permutations([*required, *draw(extra)]))
    return written(pairs, draw(blanks)), len({key for key, _ in pairs}) < len(pairs)


@st.composite
def values(draw: st.DrawFn) -> tuple[str, bool]:
    lines = [
        draw(objects([("productId", json.dumps(draw(texts))), ("quantity", "1"), ("newStock", "0")]))
        for _ in range(draw(st.integers(0, 2)))
    ]
    items = f"[{','.join(text for text, _ in lines)}]"
    text, has_twice = draw(objects([("orderId", json.dumps(draw(texts))), ("items", items)]))
    return text, has_twice or any(twice for _, twice in lines)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(values())
def test_a_value_is_refused_exactly_if_it_has_a_key_twice(
    value: tuple[str, bool],
) -> None:
    text, has_twice = value
    assert is_refused(text) is has_twice


def is_refused(text: str) -> bool:
    """Whether the value is refused; of a value with a key twice another error may be reported first."""
    try:
        READER.read(text.encode())
    except InvalidMessage:
        return True
    return False
