"""One trace from the click to the socket message and the mail, as a collector of OpenTelemetry gets it."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from devtools.driver.inbox import Inbox
from devtools.driver.shop import CREDIT_CARD, Shop, eventually
from devtools.go_programs import NoGoProgram
from devtools.otel_collector import CollectorServer
from devtools.stack.servers import MAIL
from devtools.stack.stack import Stack
from tests.otlp_receiver import OtlpReceiver, ReceivedSpan
from tests.running_system import running_stack, shop_of

# The first test may have to build the collector.
pytestmark = [pytest.mark.tracing, pytest.mark.timeout(1800)]

VISA = "pm_card_visa"
STEPS = {
    ("web", "POST api/v1/orders/"),
    ("web", "place order"),
    ("relay", "send order.created"),
    ("relay", "send inventory.reserve"),
    ("inventory", "process inventory.reserve"),
    ("inventory", "send inventory.reserved"),
    ("order", "process inventory.reserved"),
    ("relay", "send payment.requested"),
    ("payment", "process payment.requested"),
    ("payment", "ask the payment gateway"),
    ("payment", "send payment.succeeded"),
    ("order", "process payment.succeeded"),
    ("relay", "send order.status.changed"),
    ("email", "process order.created"),
    ("email", "send mail"),
    ("analytics", "process order.created"),
    ("sockets", "send socket message"),
}
BATCHES = {
    ("web", "place orders"),
    ("relay", "relay events"),
    ("inventory", "handle products-service-group"),
    ("order", "handle orders-service-group"),
    ("payment", "handle payments-service-group"),
    ("analytics", "handle analytics-service-group"),
}


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def collector(receiver: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where spans are exported to: OpenTelemetry's own collector before the receiver, where it can be had."""
    server = CollectorServer(tmp_path_factory.mktemp("collector"), receiver.url)
    try:
        server.install()
    except NoGoProgram:
        yield receiver.url
        return
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="module")
def traced(collector: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system, which records every trace that is not the caller's to decide."""
    caller = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_TRACES_SAMPLER": "parentbased_always_on",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with running_stack(tmp_path_factory, caller=caller) as stack:
        yield stack


@pytest.fixture
def traced_shop(traced: Stack) -> Iterator[Shop]:
    with shop_of(traced) as shop:
        yield shop


def wait_for_all(steps: set[tuple[str, str]], probe: Callable[[], list[ReceivedSpan]]) -> None:
    """Waits until there is a span for each of these steps."""

    def missing() -> set[tuple[str, str]]:
        return steps - {(span.service.removeprefix("stockbridge-"), span.name) for span in probe()}

    try:
        eventually(lambda: not missing(), "a span for each step")
    except AssertionError:
        assert missing() == set()


def test_a_paid_order_is_one_trace_from_the_click_to_the_socket_message_and_the_mail(
    traced: Stack, traced_shop: Shop, receiver: OtlpReceiver
) -> None:
    product, alice = traced_shop.new_product(stock=5, price="12.50"), traced_shop.new_customer()
    with alice.listening() as socket:
        order = alice.place((product, 2), payment_method=CREDIT_CARD, payment_token=VISA)
        socket.wait_for("order:status_changed", order["id"])
    with closing(Inbox(traced.servers[MAIL].page)) as inbox:
        inbox.wait_for(order["orderNumber"], count=2)
    history = alice.call("GET", f"orders/{order['id']}/history/").json()["results"]
    [trace_id] = {entry["traceId"] for entry in history}

    wait_for_all(STEPS, lambda: receiver.of_trace(trace_id))
    spans = receiver.of_trace(trace_id)
    own = {span.span_id for span in spans}
    [first] = [span for span in spans if span.parent_id not in own]
    assert (first.name, first.parent_id) == ("POST api/v1/orders/", "")
    wait_for_all(BATCHES, lambda: [span for span in list(receiver.spans) if trace_id in span.linked_traces])
    of_order = [span for span in spans if span.name.startswith("process ")]
    assert {span.attributes["order.id"] for span in of_order} == {order["id"]}


def test_spans_hold_no_names_addresses_or_tokens(traced_shop: Shop, receiver: OtlpReceiver) -> None:
    product, alice = traced_shop.new_product(stock=5), traced_shop.new_customer()
    order = alice.place((product, 1), payment_method=CREDIT_CARD, payment_token=VISA)
    answer = alice.call("GET", f"orders/{order['id']}/history/")
    trace_id = answer.headers["X-Request-Id"]
    eventually(lambda: receiver.of_trace(trace_id), "the spans of the request")
    everything = "".join(span.text for span in receiver.spans)
    for private in (VISA, alice.token, alice.name, "Bridge St"):
        assert private not in everything


def test_a_collector_of_opentelemetry_takes_the_spans(collector: str, receiver: OtlpReceiver) -> None:
    if collector == receiver.url:
        pytest.skip("the collector cannot be built here: the receiver of the tests took them")
    eventually(lambda: receiver.agents, "spans that were passed on")
    assert [agent for agent in receiver.agents if "OpenTelemetry Collector" not in agent] == []


def test_a_caller_decides_whether_its_trace_is_recorded(traced_shop: Shop, receiver: OtlpReceiver) -> None:
    trace_id, other = "4" * 32, "5" * 32
    for trace, flags in ((trace_id, "00"), (other, "01")):
        traced_shop.http.get("/api/v1/products/", headers={"traceparent": f"00-{trace}-{'6' * 16}-{flags}"})
    eventually(lambda: receiver.of_trace(other), "the spans of the request that is recorded")
    assert receiver.of_trace(trace_id) == []
