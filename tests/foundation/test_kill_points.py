"""The kill points of the fault suite."""

import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
from foundation.kill_points import kill_point
for arrival in range(1, 4):
    print(arrival, flush=True)
    kill_point("before-handling")
    kill_point("in-rebalance")
"""


@pytest.mark.parametrize(
    ("kill_at", "arrivals", "code"),
    [
        ("", ["1", "2", "3"], 0),
        ("after-answers-before-offsets", ["1", "2", "3"], 0),
        ("before-handling", ["1"], -signal.SIGKILL),
        ("before-handling:3", ["1", "2", "3"], -signal.SIGKILL),
        ("in-rebalance:2", ["1", "2"], -signal.SIGKILL),
    ],
)
def test_a_process_is_killed_at_the_kill_point_of_the_environment(
    kill_at: str, arrivals: list[str], code: int
) -> None:
    environment = os.environ | {"KILL_AT": kill_at}
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stdout.split() == arrivals
    assert process.returncode == code
