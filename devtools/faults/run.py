"""One run: load and faults, then repair, the end of all work, and the judgement of the laws."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from devtools.faults.evidence import Evidence, duplicates
from devtools.faults.fault_table import Fault
from devtools.faults.laws import broken_laws
from devtools.faults.observations import Observations
from devtools.faults.probe import seconds_until_reserved
from devtools.faults.system import INSTANCES, System, sleep_between
from devtools.faults.trial import Trial
from devtools.faults.violation import Kind, Violation

_MOST_TRAILS = 20


@dataclass
class Run:
    """The result of one run; times in seconds. Its fields are the keys of `./faults --json`."""

    strike: str
    seed: int
    hits: int = 0
    orders: int = 0
    messages: int = 0
    duplicates: int = 0
    recovery: list[float] = field(default_factory=list)
    broken: dict[str, list[Violation]] = field(default_factory=dict)
    trails: list[str] = field(default_factory=list)

    def judge(self, evidence: Evidence) -> None:
        """Judges the laws, and notes what the evidence tells."""
        self.orders = len(evidence.observations.placed)
        self.messages = sum(map(len, evidence.messages.values()))
        self.duplicates = duplicates(evidence)
        self.broken = broken_laws(evidence)
        subjects = dict.fromkeys(each.subject for violations in self.broken.values() for each in violations)
        shown = [subject for subject in subjects if subject][:_MOST_TRAILS]
        self.trails = [f"{subject}\n{evidence.trail(subject)}" for subject in shown]

    def count(self, kind: Kind) -> int:
        """How many violations of one kind."""
        return sum(each.kind == kind for violations in self.broken.values() for each in violations)


def run_with_faults(system: System, faults: Sequence[Fault], *, seconds: float, seed: int) -> Run:
    """Runs load for at least `seconds`, injects random ones of these faults meanwhile, judges the laws."""
    system.renew_tokens()
    for fault in faults:
        if fault.prepare:
            fault.prepare(system)
    trial = Trial(system, seed)
    run, observations = Run(" ".join(fault.name for fault in faults), seed), trial.observations
    trial.under_load(lambda: _inject(system, faults, observations, run, seconds))
    if observations.repeats and all(fault.spares_clients for fault in faults):
        observations.unexpected.append(f"{observations.repeats} requests got no answer, or a server error")
    if any(fault.repeats_mail for fault in faults):
        observations.mail_kills = run.hits * INSTANCES
    run.judge(trial.evidence())
    return run


def _inject(
    system: System, faults: Sequence[Fault], observations: Observations, run: Run, seconds: float
) -> None:
    """Injects a fault, measures how long the next order takes to be reserved; repeats until time is over."""
    rng = random.Random(run.seed)
    end = time.monotonic() + seconds
    is_single = any(fault.prepare for fault in faults)
    sleep_between(rng, 0.5, 1.5)
    while not run.hits or (time.monotonic() < end and not is_single):
        rng.choice(faults).inject(system, rng)
        run.hits += 1
        run.recovery.append(seconds_until_reserved(system, observations))
        sleep_between(rng, 0.3, 1.0)
