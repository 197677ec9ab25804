"""Routes under `analytics/`, for staff. Each reads parameters, makes one call, and answers in JSON or CSV."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from django.http import FileResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import Struct, to_builtins
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from orders_app.analytics.figures import (
    Asked,
    BucketFigures,
    CancelReasonFigures,
    CancelReasons,
    Funnel,
    FunnelStage,
    Latency,
    ProductFigures,
    ProductsPage,
    StageLatency,
    Timeseries,
)
from orders_app.analytics.order_figures import (
    count_cancel_reasons,
    count_stages,
    divide,
    measure_stages,
    summarise,
)
from orders_app.analytics.product_figures import ProductsOrdered, SortedBy
from orders_app.analytics.selection import Selection, one_snapshot
from orders_app.api.analytics_csv import figures_file, summary_file
from orders_app.api.analytics_parameters import (
    BucketParameters,
    MoneyParameters,
    PeriodParameters,
    ProductParameters,
)
from orders_app.api.analytics_shapes import (
    CancelReasonsSerializer,
    FunnelSerializer,
    LatencySerializer,
    ProductsPageSerializer,
    SummarySerializer,
    TimeseriesSerializer,
)
from web.csv_files import MEDIA_TYPE, CsvOnRequest
from web.error_schema import ERROR
from web.no_store import NoStore
from web.pagination import Pages
from web.struct_schema import StructSerializer

Answer = Response | FileResponse
MEANINGLESS = OpenApiResponse(ERROR, "A parameter has no meaning, or asks for too much.")
PAGE = [
    OpenApiParameter("page", int, description="The page; CSV has all products."),
    OpenApiParameter("pageSize", int, description="How many products a page has, at most 100."),
]


def described(
    operation_id: str,
    summary: str,
    answer: type[StructSerializer],
    parameters: Sequence[OpenApiParameter | type[PeriodParameters]],
) -> Callable[[Any], Any]:
    """The schema of a route."""
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        parameters=list(parameters),
        responses={(200, "application/json"): answer, (200, MEDIA_TYPE): str, 400: MEANINGLESS},
        tags=["analytics"],
    )


class AnalyticsView(NoStore, CsvOnRequest):
    """A route of analytics; its `results` have this form, as JSON and as rows of a file of this name."""

    permission_classes = (IsAdminUser,)
    parameters: ClassVar[type[PeriodParameters]] = PeriodParameters
    answer: ClassVar[type[Asked]]
    row: ClassVar[type[Struct]]
    file_name: ClassVar[str]

    def read_parameters(self) -> tuple[Selection, dict[str, Any]]:
        """Which orders are asked for, and the other parameters. Raises ValidationError."""
        parameters = self.parameters(data=self.request.query_params)
        parameters.is_valid(raise_exception=True)
        values: dict[str, Any] = parameters.validated_data
        return Selection(values.pop("period"), values.pop("currency", None)), values

    def answer_with(self, figures: Iterable[Struct], selection: Selection, **more: Any) -> Answer:
        """These figures as the answer."""
        if self.is_csv_wanted:
            return figures_file(self.file_name, selection.period, self.row, figures)
        fields = selection.asked | more | {"results": figures}
        return Response(to_builtins(self.answer(**fields)))


class SummaryView(AnalyticsView):
    """The figures of a period at one look."""

    parameters = MoneyParameters

    @described("getAnalyticsSummary", "The figures of a period", SummarySerializer, [MoneyParameters])
    def get(self, request: Request) -> Answer:
        """Show them."""
        selection, _ = self.read_parameters()
        summary = summarise(selection, str(selection.currency))
        if self.is_csv_wanted:
            return summary_file("summary", selection.period, summary)
        return Response(to_builtins(summary))


class TimeseriesView(AnalyticsView):
    """The figures of a period by minute, hour, day, week or month."""

    parameters = BucketParameters
    answer, row, file_name = Timeseries, BucketFigures, "timeseries"

    @described("getAnalyticsTimeseries", "Figures by time", TimeseriesSerializer, [BucketParameters])
    def get(self, request: Request) -> Answer:
        """Show them."""
        selection, others = self.read_parameters()
        return self.answer_with(divide(selection, str(selection.currency), others["starts"]), selection)


class ProductsView(AnalyticsView):
    """The figures of a period by product, those with the most revenue, pieces or rejections first."""

    parameters = ProductParameters
    answer, row, file_name = ProductsPage, ProductFigures, "products"

    @described(
        "listAnalyticsProducts", "Figures by product", ProductsPageSerializer, [ProductParameters, *PAGE]
    )
    def get(self, request: Request) -> Answer:
        """Show a page of them; in CSV all."""
        selection, others = self.read_parameters()
        # Any, because pages are made of whatever is sliced and counted, and not of query sets alone.
        products: Any = ProductsOrdered(selection, str(selection.currency), SortedBy(others["by"]))
        pages = self.paginator = Pages()
        with one_snapshot():
            if self.is_csv_wanted:
                return self.answer_with(products, selection)
            page: list[Any] | None = pages.paginate_queryset(products, request, self)
            paged = pages.get_paginated_response(page).data
        return self.answer_with(selection=selection, figures=paged.pop("results"), **paged)


class FunnelView(AnalyticsView):
    """How many orders of a period came to each stage."""

    answer, row, file_name = Funnel, FunnelStage, "funnel"

    @described("getAnalyticsFunnel", "How far orders came", FunnelSerializer, [PeriodParameters])
    def get(self, request: Request) -> Answer:
        """Show it."""
        selection, _ = self.read_parameters()
        return self.answer_with(count_stages(selection), selection)


class LatencyView(AnalyticsView):
    """How long the orders of a period took from stage to stage."""

    answer, row, file_name = Latency, StageLatency, "latency"

    @described("getAnalyticsLatency", "How long orders took", LatencySerializer, [PeriodParameters])
    def get(self, request: Request) -> Answer:
        """Show it."""
        selection, _ = self.read_parameters()
        return self.answer_with(measure_stages(selection), selection)


class CancelReasonsView(AnalyticsView):
    """Why orders of a period were cancelled."""

    answer, row, file_name = CancelReasons, CancelReasonFigures, "reasons"

    @described(
        "getAnalyticsReasons", "Why orders were cancelled", CancelReasonsSerializer, [PeriodParameters]
    )
    def get(self, request: Request) -> Answer:
        """Show it."""
        selection, _ = self.read_parameters()
        return self.answer_with(count_cancel_reasons(selection), selection)
