"""A member of staff who lets the stock of a product fall again and again."""

from dataclasses import replace
from http import HTTPStatus

from devtools.driver.shop import Caller, Json, Shop
from devtools.faults.client import Client, new_http_client, request_until_answered
from devtools.faults.observations import Observations

LAST_BOUND = 1_000_000
"""The `lowStockAt` at the end of a run: the watch has caught up when it knows of it."""

_BOUND, _PLENTY, _FEW = 5, 10, 2
# Each of these lets the product fall; the other one ends that.
_BY_STOCK: tuple[Json, Json] = {"stock": _FEW}, {"stock": _PLENTY}
_BY_BOUND: tuple[Json, Json] = {"lowStockAt": 2 * _PLENTY}, {"lowStockAt": _BOUND}


class StockKeeper(Client):
    """Lowers the stock of a product of its own below its bound, or raises the bound above the stock."""

    def __init__(self, name: str, observations: Observations, seed: int, shop: Shop) -> None:
        super().__init__(name, observations, seed)
        self._caller: Caller = replace(shop.staff, http=new_http_client(shop.web_url))
        self._product = shop.new_product(_PLENTY)
        observations.falls[self._product] = 0
        self._set({"lowStockAt": _BOUND})

    def act(self) -> None:
        """One fall, and the end of it."""
        fall, end = self.rng.choice((_BY_STOCK, _BY_BOUND))
        self._set(fall)
        self.observations.falls[self._product] += 1
        self._set(end)
        self.pause(0.1, 0.4)

    def finish(self) -> None:
        """The last fall."""
        self._set({"lowStockAt": LAST_BOUND})
        self.observations.falls[self._product] += 1
        self._caller.http.close()

    def _set(self, fields: Json) -> None:
        """Sets fields; a repetition sets the same again, which changes nothing."""
        answer = request_until_answered(
            self.observations, lambda: self._caller.call("PATCH", f"products/{self._product}/", json=fields)
        )
        if answer.status_code != HTTPStatus.OK:
            self.note_unexpected(answer, f"setting {fields}")
