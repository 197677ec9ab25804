"""The laws hold through half a minute of faults, and through a kill at each kill point."""

import pytest

from devtools.faults.fault_table import Fault, all_faults, kills_at_kill_points
from devtools.faults.report import describe_violations
from devtools.faults.run import run_with_faults
from devtools.faults.system import System

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

MIXED = [each for each in all_faults(down=3.0).values() if each.prepare is None and each.brokers == 1]


def test_mixed_faults_lose_nothing_and_let_nothing_drift(system: System, seed: int) -> None:
    run = run_with_faults(system, MIXED, seconds=35, seed=seed)
    assert not run.broken, describe_violations(run)
    assert run.duplicates > 0, "no client repeated a request: the run proves little"


@pytest.mark.thorough
@pytest.mark.parametrize("fault", kills_at_kill_points(), ids=lambda fault: fault.name)
def test_a_kill_at_this_point_loses_nothing_and_lets_nothing_drift(
    system: System, fault: Fault, seed: int
) -> None:
    run = run_with_faults(system, [fault], seconds=0, seed=seed)
    assert not run.broken, describe_violations(run)
