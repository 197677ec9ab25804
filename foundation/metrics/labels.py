"""The labels of all metrics. Each value of a label is a series that Prometheus keeps."""

from collections.abc import Mapping

LABELS: Mapping[str, str] = {
    "command": "a command of MongoDB, of those that this system sends; `other` for the rest",
    "dependency": "`postgresql`, `mongodb` or `kafka`",
    "disk": "a disk of `WATCHED_DISKS`",
    "endpoint": "an address of `WATCHED_CERTIFICATES`",
    "group": "a consumer group; of lag, also the first 50 groups of other programs",
    "kind": "one of a fixed list, which the metric names or its code has",
    "method": "an HTTP method of the usual ones; `other` for the rest",
    "operation": "what the payment gateway is asked for: charge, refund, look_up or list",
    "outcome": "one of a fixed list, which the metric names",
    "partition": "the number of a partition",
    "python": "the version of Python",
    "reason": "one of a fixed list, which the metric names or its code has",
    "route": "the pattern of a URL in the code, never a path; `unmatched` for the rest",
    "state": "one of a fixed list, which the metric names",
    "status": "of HTTP the status code; of a consumer group one of the list which the metric names",
    "topic": "a topic of the cluster",
    "type": "a type of event of the order log, or a topic of the stock service's answers",
    "version": "the version of this system",
    "wait": "what orders wait for, as on the board: stock, release, charge, refund, payment, failed, ship or "
    "delivery",
    "worker": "a worker of docs/workers.md, or web, sockets, sockets-feed or sign-ins",
}
"""Every label, and what its values are: each list is bounded by the code or by the cluster, none by users."""
