"""Staff in the warehouse: deliveries and adjustments, each of which moves the stock once."""

from dataclasses import replace
from http import HTTPStatus

import httpx

from devtools.driver.shop import Caller
from devtools.faults.client import Client, new_http_client, request_until_answered
from devtools.faults.observations import Observations

_REPEATED_SHARE = 0.3


class Warehouse(Client):
    """Receives and adjusts; repeats some requests with their key, which must get the first answer again."""

    def __init__(
        self, name: str, observations: Observations, seed: int, caller: Caller, web_url: str
    ) -> None:
        super().__init__(name, observations, seed)
        self._caller = replace(caller, http=new_http_client(web_url))
        self._number = 0

    def act(self) -> None:
        """Moves the stock of one product, up or down."""
        self._number += 1
        product, quantity = self.rng.choice(list(self.observations.received)), self.rng.randint(1, 5)
        if self.rng.random() < 0.5:
            quantity, action = -quantity, "adjust"
        else:
            action = self.rng.choice(["receive", "adjust"])
        answer = self._move(product, action, quantity)
        if answer.status_code == HTTPStatus.OK:
            self.observations.received[product] += quantity
        elif answer.status_code != HTTPStatus.CONFLICT:  # fewer pieces are left
            self.note_unexpected(answer, f"{action} {quantity} of {product}")
        self.pause(0.1, 0.4)

    def finish(self) -> None:
        """Closes its connections."""
        self._caller.http.close()

    def _move(self, product: str, action: str, quantity: int) -> httpx.Response:
        headers = {"Idempotency-Key": f"{self.observations.run}-{self.name}-{self._number}"}
        body = {"quantity": quantity, "reason": f"{self.name} {self._number}"}

        def send() -> httpx.Response:
            return self._caller.call("POST", f"products/{product}/{action}/", json=body, headers=headers)

        answer = request_until_answered(self.observations, send)
        if answer.status_code == HTTPStatus.OK and self.rng.random() < _REPEATED_SHARE:
            again = request_until_answered(self.observations, send)
            if again.json() != answer.json():
                self.note_unexpected(again, f"{action} of {product} again, after {answer.text}")
        return answer
