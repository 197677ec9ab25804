"""The table of workers. Everything else about a worker follows from its entry here.

Topics, groups and ACLs, the processes of `./start`, reference pages under `docs/`, the stages of an audit,
the targets of the fault suite and the processes that the benchmarks measure are all read from here.

Standard library only: `./start --help` reads this table before any package is installed.
"""

from dataclasses import dataclass
from typing import NamedTuple

POSTGRESQL, MONGODB, KAFKA = "PostgreSQL", "MongoDB", "Kafka"
MAIL_SERVER, GATEWAY = "the mail server", "the payment gateway"


class KillPoint(NamedTuple):
    """A kill point (`foundation.kill_points`) that a worker passes, and its state at that moment."""

    name: str
    state: str


CONSUMER_KILL_POINTS = (
    KillPoint("before-handling", "with a batch read but not handled"),
    KillPoint("after-handling-before-answers", "with a batch committed in the database but not answered"),
    KillPoint("after-answers-before-offsets", "with a batch answered but its offsets not committed"),
)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A process that runs until SIGTERM."""

    name: str
    """Names its processes in `./start`, their logs, and the option `--<name>-workers`."""
    title: str
    """Names it in documents."""
    command: str
    """The management command that runs it."""
    runs: str
    """`package.module:function`; the function takes the event that asks it to stop."""
    purpose: str
    """What it does, as words that follow "to"."""
    scaling: str
    """What several processes of it do: a sentence."""
    needs: tuple[str, ...]
    """The dependencies. While one is unavailable the worker waits."""
    principal: str = ""
    """Its user on the broker; empty where it does not use Kafka."""
    sends: tuple[str, ...] = ()
    """The topics that it sends to."""
    count: int = 1
    """How many processes `./start` runs."""
    saga_step: int | None = None
    """Its turn on the way from an order to its stock and back, for which an audit waits; None: beside it."""
    kill_points: tuple[KillPoint, ...] = ()
    setting: str = ""
    """The setting that it needs: `./start` runs it only where that is set. Empty: it needs none."""

    @property
    def summary(self) -> str:
        """Purpose and scaling, as sentences."""
        return f"{self.purpose[0].upper()}{self.purpose[1:]}. {self.scaling}"


@dataclass(frozen=True, kw_only=True)
class Consumer(Worker):
    """A worker that reads topics as a member of a group; `runs` names its ConsumerDefinition."""

    group: str
    reads: tuple[str, ...]
    scaling: str = "Several share the partitions."
    kill_points: tuple[KillPoint, ...] = CONSUMER_KILL_POINTS


RELAY = Worker(
    name="relay",
    title="outbox relay",
    command="run_outbox_relay",
    runs="kafka_workers.relay.outbox_relay:run",
    purpose="publish what happens to orders, from the order log to Kafka",
    scaling="One is active, the others take over within half a second when it ends.",
    needs=(POSTGRESQL, KAFKA),
    principal="stockbridge-relay",
    sends=(
        "order.created",
        "order.status.changed",
        "order.cancelled",
        "order.completed",
        "order.updated",
        "inventory.reserve",
        "inventory.release",
        "payment.requested",
        "payment.refund.requested",
    ),
    saga_step=1,
    kill_points=(
        KillPoint("after-commit-before-produce", "with events committed but not sent"),
        KillPoint("after-acknowledgement-before-position", "with events sent but its position not moved"),
    ),
)

INVENTORY = Consumer(
    name="inventory",
    title="inventory consumer",
    command="run_inventory_consumer",
    runs="kafka_workers.consumers.inventory:INVENTORY_CONSUMER",
    purpose="take stock for orders and give it back",
    needs=(MONGODB, KAFKA),
    principal="stockbridge-inventory",
    group="products-service-group",
    reads=("inventory.reserve", "inventory.release"),
    sends=("inventory.reserved", "inventory.rejected", "inventory.released"),
    saga_step=2,
)

ORDER = Consumer(
    name="order",
    title="order consumer",
    command="run_order_consumer",
    runs="kafka_workers.consumers.orders:ORDER_CONSUMER",
    purpose="record the answers about stock and payments, which confirm or cancel orders",
    needs=(POSTGRESQL, KAFKA),
    principal="stockbridge-order",
    group="orders-service-group",
    reads=(
        "inventory.reserved",
        "inventory.rejected",
        "inventory.released",
        "payment.succeeded",
        "payment.failed",
        "payment.refunded",
    ),
    saga_step=3,
)

PAYMENT = Consumer(
    name="payment",
    title="payment consumer",
    command="run_payment_consumer",
    runs="kafka_workers.consumers.payments:PAYMENT_CONSUMER",
    setting="STRIPE_SECRET_KEY",
    purpose="charge orders at the payment gateway, and give money back",
    needs=(POSTGRESQL, KAFKA, GATEWAY),
    principal="stockbridge-payment",
    group="payments-service-group",
    reads=("payment.requested", "payment.refund.requested"),
    sends=("payment.succeeded", "payment.failed", "payment.refunded"),
    kill_points=(
        *CONSUMER_KILL_POINTS,
        KillPoint(
            "after-claim-before-charge", "with tokens marked as sent, but nothing asked of the gateway"
        ),
        KillPoint("after-charge", "with a payment taken of which nobody has been told"),
        KillPoint("after-refund", "with money given back of which nobody has been told"),
    ),
)

EMAIL = Consumer(
    name="email",
    title="email consumer",
    command="run_email_consumer",
    runs="kafka_workers.consumers.email:EMAIL_CONSUMER",
    purpose="tell customers by mail what happens to their orders, and send mails about accounts",
    needs=(POSTGRESQL, KAFKA, MAIL_SERVER),
    principal="stockbridge-email",
    setting="EMAIL_URL",
    group="email-service-group",
    reads=(
        "order.created",
        "order.status.changed",
        "order.cancelled",
        "order.completed",
        "payment.failed",
        "payment.refunded",
    ),
    kill_points=(
        KillPoint("before-handling", "with a message read but not handled"),
        KillPoint("before-sending-mail", "with a mail written but nothing of it sent"),
        KillPoint("before-last-line-of-mail", "with a mail recorded as begun and sent but for its last line"),
        KillPoint("after-sending-mail-before-record", "with a mail sent but not recorded as sent"),
        KillPoint("after-answers-before-offsets", "with mails recorded but the offsets not committed"),
    ),
)

ANALYTICS = Consumer(
    name="analytics",
    title="analytics consumer",
    command="run_analytics_consumer",
    runs="kafka_workers.consumers.analytics:ANALYTICS_CONSUMER",
    purpose="keep the figures of analytics from what happens to orders",
    needs=(POSTGRESQL, KAFKA),
    principal="stockbridge-analytics",
    group="analytics-service-group",
    reads=(
        "order.created",
        "order.status.changed",
        "order.cancelled",
        "order.completed",
        "order.updated",
    ),
    kill_points=(
        *CONSUMER_KILL_POINTS,
        KillPoint("before-figures-committed", "with figures written but not committed"),
    ),
)

HOLDS = Worker(
    name="holds",
    title="hold expiry",
    command="expire_holds",
    runs="orders_app.hold_expiry:run",
    purpose=(
        "cancel orders that are not paid within HOLD_MINUTES, unless they are paid on delivery; "
        "once a minute, delete expired tokens, sign-ins and sessions, and add partitions to the order log"
    ),
    scaling="Several may run at once.",
    needs=(POSTGRESQL,),
)

STOCK_WATCH = Worker(
    name="stock-watch",
    title="stock watch",
    command="run_stock_watch",
    runs="kafka_workers.stock_watch:run",
    purpose="tell each time the stock of a product falls below its lowStockAt, whoever lowered it",
    scaling="One is active, the others take over when it ends, or 10 seconds after it died.",
    needs=(MONGODB, KAFKA),
    principal="stockbridge-stock-watch",
    sends=("inventory.low",),
    kill_points=(
        KillPoint("before-recording-falls", "with changes of the catalogue read but not recorded"),
        KillPoint("after-recording-falls-before-sending", "with falls recorded but not sent"),
        KillPoint("after-sending-falls-before-record", "with falls sent but not recorded as sent"),
    ),
)

LAG_EXPORTER = Worker(
    name="lag",
    title="lag exporter",
    command="run_lag_exporter",
    runs="kafka_workers.lag.exporter:run",
    purpose=(
        "measure how far and how long each consumer group is behind, and whether it keeps up; "
        "also the disks and certificates that the settings name"
    ),
    scaling="Several export the same metrics.",
    needs=(KAFKA,),
    principal="stockbridge-lag",
)

WORKERS = tuple(entry for entry in tuple(globals().values()) if isinstance(entry, Worker))
"""Every entry above, in its order."""

CONSUMERS = tuple(worker for worker in WORKERS if isinstance(worker, Consumer))

GROUPS = {consumer.group: consumer.reads for consumer in CONSUMERS}
"""The topics that each group reads, its retry topics apart."""

SAGA = tuple(
    sorted((worker for worker in WORKERS if worker.saga_step), key=lambda worker: worker.saga_step or 0)
)
"""The workers that an order passes on the way to its stock and back, in their turn."""
