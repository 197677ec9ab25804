"""A thread that observes the system during a measurement."""

import threading
from typing import Self


class Background(threading.Thread):
    """A thread that runs as long as a `with` block; `run` ends soon after `stopped` is set."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stopped = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.join()
