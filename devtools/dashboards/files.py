"""All dashboards, and the files that they are written to."""

from collections.abc import Mapping

from devtools.dashboards.consumers import CONSUMERS
from devtools.dashboards.description import Dashboard
from devtools.dashboards.grafana import json_of
from devtools.dashboards.order_flow import ORDER_FLOW
from devtools.dashboards.payments_and_mail import PAYMENTS_AND_MAIL
from devtools.dashboards.relay import RELAY
from devtools.dashboards.shop import SHOP
from devtools.dashboards.sockets import SOCKETS
from devtools.dashboards.stores import STORES
from devtools.stack.spawn import PROJECT

FOLDER = PROJECT / "deploy" / "grafana" / "dashboards"

DASHBOARDS: tuple[Dashboard, ...] = (
    SHOP,
    ORDER_FLOW,
    CONSUMERS,
    RELAY,
    STORES,
    SOCKETS,
    PAYMENTS_AND_MAIL,
)


def texts() -> Mapping[str, str]:
    """The text of each file, by its name."""
    return {f"{each.name}.json": json_of(each) for each in DASHBOARDS}
