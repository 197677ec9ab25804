"""A target for Prometheus whose metrics a test sets."""

from tests.local_server import LocalServer, Request


class Exposition(LocalServer):
    """`text` is what it answers, in Prometheus' format."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def show(self, *series: str) -> None:
        """Answer with these series from now on, such as `stockbridge_dead_letters{group="g"} 1`."""
        self.text = "".join(f"{each}\n" for each in series)

    def get(self, request: Request) -> None:
        request.answer(self.text.encode(), kind="text/plain; version=0.0.4")
