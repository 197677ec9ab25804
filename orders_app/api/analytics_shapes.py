"""What the API's pages show of the answers of analytics."""

from orders_app.analytics.figures import (
    CancelReasons,
    Funnel,
    Latency,
    ProductsPage,
    Summary,
    Timeseries,
)
from web.struct_schema import StructSerializer


class SummarySerializer(StructSerializer):
    """A summary."""

    struct = Summary


class TimeseriesSerializer(StructSerializer):
    """Figures by bucket."""

    struct = Timeseries


class ProductsPageSerializer(StructSerializer):
    """Figures by product."""

    struct = ProductsPage


class FunnelSerializer(StructSerializer):
    """Figures by stage."""

    struct = Funnel


class LatencySerializer(StructSerializer):
    """Times from stage to stage."""

    struct = Latency


class CancelReasonsSerializer(StructSerializer):
    """Figures by reason."""

    struct = CancelReasons
