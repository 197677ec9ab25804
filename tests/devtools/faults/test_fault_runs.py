"""The laws hold through a minute of faults, and through a kill at each place where it hurts."""

import pytest

from devtools.faults.arena import Arena
from devtools.faults.report import account_of
from devtools.faults.strikes import Strike, all_strikes, kills_at_points
from devtools.faults.trial import run_trial

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

MIXED = [each for each in all_strikes(down=3.0).values() if each.prepare is None and each.brokers == 1]


def test_a_minute_of_faults_loses_nothing_and_lets_nothing_drift(arena: Arena, seed: int) -> None:
    run = run_trial(arena, MIXED, seconds=35, seed=seed)
    assert not run.broken, account_of(run)
    assert run.duplicates > 0, "nobody repeated anything: the run proves little"


@pytest.mark.thorough
@pytest.mark.parametrize("strike", kills_at_points(), ids=lambda strike: strike.name)
def test_a_kill_at_this_point_loses_nothing_and_lets_nothing_drift(
    arena: Arena, strike: Strike, seed: int
) -> None:
    run = run_trial(arena, [strike], seconds=0, seed=seed)
    assert not run.broken, account_of(run)
