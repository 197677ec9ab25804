"""All metrics of all processes, which `/metrics` serves (docs/operations.md).

With PROMETHEUS_MULTIPROC_DIR set (./start sets it), each process writes its metrics to files in that
directory, and the web process aggregates them. Counters and histograms are summed. A gauge names its mode:
`livesum` sums the values of running processes, `mostrecent` takes the value that was set last.
Names follow the conventions of Prometheus: counters end in `_total`, durations are in seconds. Every label is
in LABELS, which says why it has few values.
"""

from prometheus_client import disable_created_metrics

# Each would double the series of a counter to say when its process began.
disable_created_metrics()  # type: ignore[no-untyped-call]

from foundation.metrics.consumers import *  # noqa: E402, F403
from foundation.metrics.labels import *  # noqa: E402, F403
from foundation.metrics.lag import *  # noqa: E402, F403
from foundation.metrics.mail import *  # noqa: E402, F403
from foundation.metrics.orders import *  # noqa: E402, F403
from foundation.metrics.payments import *  # noqa: E402, F403
from foundation.metrics.processes import *  # noqa: E402, F403
from foundation.metrics.relay import *  # noqa: E402, F403
from foundation.metrics.stock import *  # noqa: E402, F403
from foundation.metrics.stores import *  # noqa: E402, F403
from foundation.metrics.web import *  # noqa: E402, F403
