"""The load of a run: all clients together."""

from devtools.driver.shop import eventually
from devtools.faults.broker import Offsets
from devtools.faults.client import ANSWER_SECONDS, Client
from devtools.faults.external_service import ExternalService
from devtools.faults.http_clients import Customer, Service, Staff
from devtools.faults.observations import Observations
from devtools.faults.socket_client import SocketClient
from devtools.faults.stock_keeper import StockKeeper
from devtools.faults.system import System
from devtools.faults.warehouse import Warehouse
from kafka_workers.workers import INVENTORY

CUSTOMERS_WITH_SOCKETS = 2
_PLENTIFUL, _SCARCE = [100_000] * 6, [40] * 3


def create_products(system: System) -> dict[str, int]:
    """Creates products, some of which sell out; returns how many pieces of each were received."""
    return {system.shop.new_product(stock): stock for stock in (*_PLENTIFUL, *_SCARCE)}


class Load:
    """All clients of one run, on one seed; but for the sockets, `slowness` times as slow as usual."""

    def __init__(
        self, system: System, observations: Observations, seed: int, start: Offsets, slowness: float
    ) -> None:
        shop, callers = system.shop, system.customers
        self._sockets = [
            SocketClient(f"socket-{number}", observations, seed, caller)
            for number, caller in enumerate(callers[:CUSTOMERS_WITH_SOCKETS], start=1)
        ]
        requests = {each: end for each, end in start.items() if each[0] in INVENTORY.reads}
        self._clients: list[Client] = [
            *(
                Customer(f"customer-{number}", observations, seed, caller, shop.web_url)
                for number, caller in enumerate(callers, start=1)
            ),
            Staff("staff", observations, seed, shop.staff, shop.web_url),
            StockKeeper("stock-keeper", observations, seed, shop),
            Warehouse("warehouse", observations, seed, shop.staff, shop.web_url),
            Service("service", observations, seed, shop),
            ExternalService("external-service", observations, seed, system.broker.brokers, requests),
        ]
        for client in self._clients:
            client.slowness = slowness

    def start(self) -> None:
        """Starts all clients; returns when every socket has received an event."""
        for socket in self._sockets:
            socket.start()
        for socket in self._sockets:
            assert socket.is_subscribed.wait(15), f"{socket.name} could not subscribe"
        for client in self._clients:
            client.start()
        eventually(lambda: all(each.has_received for each in self._sockets), "an event on every socket")

    def stop(self) -> None:
        """Ends all clients but the sockets; a client ends when its last request is answered."""
        _stop(self._clients)

    def close_sockets(self) -> None:
        """Closes the sockets."""
        _stop(self._sockets)


def _stop(clients: list[Client] | list[SocketClient]) -> None:
    for client in clients:
        client.stopped.set()
    for client in clients:
        client.join(2 * ANSWER_SECONDS)
        if client.is_alive():
            client.observations.unexpected.append(f"{client.name}: did not end")
