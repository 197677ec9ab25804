"""Everybody who uses the system during a run, together."""

from devtools.driver.shop import eventually
from devtools.faults.actor import PATIENCE_SECONDS, Actor
from devtools.faults.arena import Arena
from devtools.faults.broker import Offsets
from devtools.faults.journal import Journal
from devtools.faults.listener import Listener
from devtools.faults.neighbour import Neighbour
from devtools.faults.people import Customer, Service, Staff
from kafka_workers.workers import INVENTORY

LISTENING_CUSTOMERS = 2
_PLENTIFUL, _SCARCE = [100_000] * 6, [40] * 3


def stock_catalogue(arena: Arena) -> dict[str, int]:
    """New products, some of which run out: what was received of each."""
    return {arena.shop.new_product(stock): stock for stock in (*_PLENTIFUL, *_SCARCE)}


class Load:
    """All actors of one run, on one seed."""

    def __init__(self, arena: Arena, journal: Journal, seed: int, start: Offsets) -> None:
        shop, callers = arena.shop, arena.customers
        self.listeners = [
            Listener(f"listener-{number}", journal, seed, caller)
            for number, caller in enumerate(callers[:LISTENING_CUSTOMERS], start=1)
        ]
        requests = {place: end for place, end in start.items() if place[0] in INVENTORY.reads}
        self._actors: list[Actor] = [
            *(
                Customer(f"customer-{number}", journal, seed, caller, shop.web_url)
                for number, caller in enumerate(callers, start=1)
            ),
            Staff("staff", journal, seed, shop.staff, shop.web_url),
            Service("service", journal, seed, shop),
            Neighbour("neighbour", journal, seed, arena.broker.brokers, requests),
        ]

    def start(self) -> None:
        """Begins, and returns when all who listen have heard something."""
        for listener in self.listeners:
            listener.start()
        for listener in self.listeners:
            assert listener.is_subscribed.wait(15), f"{listener.name} could not subscribe"
        for actor in self._actors:
            actor.start()
        eventually(lambda: all(each.has_heard for each in self.listeners), "all who listen hear something")

    def stop(self) -> None:
        """Ends it; every request under way is answered first. The listeners go on listening."""
        _stop(self._actors)

    def stop_listening(self) -> None:
        """The sockets are closed."""
        _stop(self.listeners)


def _stop(actors: list[Actor] | list[Listener]) -> None:
    for actor in actors:
        actor.stopped.set()
    for actor in actors:
        actor.join(2 * PATIENCE_SECONDS)
        if actor.is_alive():
            actor.journal.complaints.append(f"{actor.name}: does not come to an end")
