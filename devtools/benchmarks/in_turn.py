"""Several kinds of requests measured in turn in one system, so that what changes meanwhile hits all alike."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from devtools.benchmarks.figures import figure, percentile
from devtools.benchmarks.load import Plan, Report, generate
from devtools.benchmarks.system import System
from devtools.stack.processes import WEB

Kind = TypeVar("Kind", bound=Hashable)
_SETTLING_SECONDS = 120.0


@dataclass(frozen=True)
class Turn:
    """Some seconds of one kind, with the CPU time in seconds of web and of the whole system."""

    report: Report
    web: float
    system: float


@dataclass(frozen=True, kw_only=True)
class ComparedResult:
    """One run of one kind of request; the raw figures are those of the usual kind."""

    answered: float = figure("answered; raw: the usual request", "/s", raw="raw_answered")
    p50: float = figure("answered, p50; raw: the usual request", "ms", raw="raw_p50")
    p99: float = figure("answered, p99; raw: the usual request", "ms", raw="raw_p99")
    web: float = figure("CPU of web a request; raw: the usual request", "µs", raw="raw_web")
    system: float = figure("CPU of the whole system a request; raw: the usual one", "µs", raw="raw_system")
    raw_answered: float
    raw_p50: float
    raw_p99: float
    raw_web: float
    raw_system: float


def measure_turn(system: System, plan: Plan, *, run: str, places: bool, web: str = WEB) -> Turn:
    """Sends the requests of a plan; waits until the orders are Processing that they place under this run.

    `web` is the name of the web processes that answer.
    """
    before = system.cpu_seconds()
    report = generate(plan)
    if places:
        system.await_placed(run, len(report.answered), _SETTLING_SECONDS)
    used = system.cpu_seconds()
    return Turn(report, used[web] - before[web], sum(used.values()) - sum(before.values()))


def measure_in_turn(
    kinds: Sequence[Kind], rounds: int, measure: Callable[[Kind], Turn]
) -> dict[Kind, list[Turn]]:
    """Measures each kind once a round, in one order and then in the other."""
    turns: dict[Kind, list[Turn]] = {kind: [] for kind in kinds}
    for number in range(rounds):
        for kind in kinds if number % 2 == 0 else kinds[::-1]:
            turns[kind].append(measure(kind))
    return turns


def compared_with_first(turns: Mapping[Kind, Sequence[Turn]]) -> Iterator[tuple[Kind, ComparedResult]]:
    """The result of each kind but the first, which is the usual one."""
    (_, usual), *others = turns.items()
    raw = {f"raw_{name}": value for name, value in _figures(usual).items()}
    for kind, measured in others:
        yield kind, ComparedResult(**_figures(measured), **raw)


def _figures(turns: Sequence[Turn]) -> dict[str, float]:
    reports = [turn.report for turn in turns]
    latencies = [latency for report in reports for latency in report.latencies]
    return {
        "answered": len(latencies) / sum(report.ended - report.started for report in reports),
        "p50": 1000 * percentile(latencies, 50),
        "p99": 1000 * percentile(latencies, 99),
        "web": 1e6 * sum(turn.web for turn in turns) / len(latencies),
        "system": 1e6 * sum(turn.system for turn in turns) / len(latencies),
    }
