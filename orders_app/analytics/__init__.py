"""The read models of analytics: figures of orders, kept from the messages of the orders alone (ADR 34).

Every message sets facts of its own order, so that it may come twice, late, or before an earlier one. A figure
is an aggregate over the rows of orders at the time of the query; nothing is ever counted up.
"""

from orders_app.analytics.progress import Freshness, freshness

__all__ = ["Freshness", "freshness"]
