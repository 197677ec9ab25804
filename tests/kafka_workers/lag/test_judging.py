"""The rules by which a group's window of samples is judged."""

from collections.abc import Sequence

import pytest

from kafka_workers.lag.judging import Sample, Status, judge

PATIENCE = 5.0


def window(
    *samples: tuple[int | None, int], waiting: Sequence[float] = (), is_read: bool = True
) -> list[Sample]:
    """Samples of committed offset and lag, a second apart; each message waits for 60 s unless said."""
    return [
        Sample(
            time=float(number),
            committed=committed,
            lag=lag,
            waiting_seconds=waiting[number] if waiting else 60.0 * bool(lag),
            is_read=is_read,
        )
        for number, (committed, lag) in enumerate(samples)
    ]


@pytest.mark.parametrize(
    ("samples", "status"),
    [
        pytest.param(window((None, 0)), Status.OK, id="nothing was ever written"),
        pytest.param(window((5, 0), (5, 0)), Status.OK, id="everything is read, though nothing moves"),
        pytest.param(
            window((5, 0), (5, 0), is_read=False), Status.OK, id="nobody reads, and nothing is to be read"
        ),
        pytest.param(window((5, 9), (8, 7), (12, 4)), Status.OK, id="it catches up"),
        pytest.param(window((5, 9), (8, 9), (12, 9)), Status.OK, id="it keeps its distance"),
        pytest.param(window((5, 9), (8, 7), (9, 12)), Status.OK, id="it fell behind once"),
        pytest.param(window((5, 9), (8, 12), (9, 15)), Status.WARN, id="it reads, but falls further behind"),
        pytest.param(
            window((5, 9), (5, 12), (5, 15)), Status.STALLED, id="it has the partition and does not move"
        ),
        pytest.param(window((None, 3), (None, 3)), Status.STALLED, id="it has never committed"),
        pytest.param(window((5, 9), (5, 9), is_read=False), Status.STOPPED, id="nobody reads"),
        pytest.param(window((None, 3), (None, 3), is_read=False), Status.STOPPED, id="nobody has ever read"),
        pytest.param(
            window((5, 9), is_read=False), Status.OK, id="one sample does not tell whether it moves"
        ),
        pytest.param(window((5, 0), (5, 3), (5, 3)), Status.OK, id="all was read a moment ago"),
        pytest.param(window((5, 1), (5, 1), waiting=(0.5, 1.5)), Status.OK, id="the message may be in work"),
        pytest.param(window((9, 1), (2, 8), (2, 8)), Status.REWOUND, id="it was set back"),
        pytest.param(
            window((9, 1), (2, 8), (4, 6)), Status.REWOUND, id="it reads again after it was set back"
        ),
        pytest.param(
            window((9, 1), (2, 8), (10, 0)), Status.OK, id="it has read again all that it was set back"
        ),
        pytest.param(window((9, 1), (0, 0)), Status.OK, id="its topic was made anew"),
    ],
)
def test_a_window_is_judged_by_what_moves_in_it(samples: list[Sample], status: Status) -> None:
    assert judge(samples, patience=PATIENCE) is status
