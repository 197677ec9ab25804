"""The state file that a running stack writes."""

from pathlib import Path

from devtools.stack.state import PartState, StateFile
from tests.concurrency import run_together


def test_the_thread_that_starts_parts_and_the_one_that_watches_them_may_write_at_once(tmp_path: Path) -> None:
    state = StateFile(tmp_path)

    def write(name: str) -> None:
        for pid in range(1, 500):
            state.write(ready=False, web="", waits_for=(), parts=[PartState(name, pid, 0)])

    run_together(lambda: write("web"), lambda: write("relay"))
    found = state.read()
    assert found is not None
    assert found.parts[0].pid == 499
