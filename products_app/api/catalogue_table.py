"""`GET products/export/` and `POST products/import/`, and what a cell of the table may be."""

from collections.abc import Mapping
from functools import cache
from io import BytesIO, TextIOWrapper
from typing import Any, cast

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products_app.api.serializers import ProductSerializer
from products_app.api.stock_work import actor_of
from products_app.services.catalogue_table.export import export_catalogue
from products_app.services.catalogue_table.importing import ImportReport, import_catalogue
from products_app.services.catalogue_table.plan import CellUnreadable
from web.csv_files import MEDIA_TYPE, written_file
from web.error_schema import ERROR
from web.parsers import JsonBytesParser
from web.rendering import JsonRenderer
from web.struct_schema import StructSerializer


class CsvParser(JsonBytesParser):
    """Leaves a table as it came. Keeps to DATA_UPLOAD_MAX_MEMORY_SIZE."""

    media_type = MEDIA_TYPE


class ImportQuerySerializer(serializers.Serializer[None]):
    """How the table is imported."""

    dryRun = serializers.BooleanField(required=False, default=False, help_text="Change nothing, only report.")  # noqa: N815


class ImportReportSerializer(StructSerializer):
    """What became of the rows."""

    struct = ImportReport


def read_cell(column: str, text: Any) -> Any:
    """The value of a cell, by the rules of the API. Raises CellUnreadable."""
    try:
        return _fields()[column].run_validation(text)
    except serializers.ValidationError as error:
        detail: Any = error.detail
        while isinstance(detail, Mapping):  # of a tag, by its number
            detail = next(iter(detail.values()))
        raise CellUnreadable(detail[0].code, str(detail[0])) from error


@cache
def _fields() -> Mapping[str, "serializers.Field[Any, Any, Any, Any]"]:
    return ProductSerializer().fields


@extend_schema(tags=["products"])
class ExportView(APIView):
    """The catalogue as a table, for spreadsheets and for `import`."""

    permission_classes = (IsAdminUser,)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """A table whatever is accepted; refusals are JSON."""
        return JsonRenderer(), JsonRenderer.media_type

    @extend_schema(
        operation_id="exportCatalogue",
        summary="The catalogue as CSV",
        responses={(200, MEDIA_TYPE): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> FileResponse:
        """Every product, also those that are not for sale. Text that may be a formula begins with a `'`."""
        return written_file("products.csv", export_catalogue)


@extend_schema(tags=["products"])
class ImportView(APIView):
    """Creates and changes products by the rows of a table."""

    permission_classes = (IsAdminUser,)
    parser_classes = (CsvParser,)

    @extend_schema(
        operation_id="importCatalogue",
        summary="Create and change products by a table in CSV",
        parameters=[ImportQuerySerializer],
        request={MEDIA_TYPE: OpenApiTypes.STR},
        responses={
            200: ImportReportSerializer,
            400: OpenApiResponse(ERROR, "The body is no table of products: nothing is changed."),
        },
    )
    def post(self, request: Request) -> Response:
        """Import it; a row with faults is left out, and named with its line.

        A row with the id or SKU of a product changes it, another one with an SKU creates one. Columns that
        are left out keep their values. The same table again changes nothing more.
        """
        query = ImportQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        report = import_catalogue(
            TextIOWrapper(
                # Where there is no body at all, DRF gives an empty object.
                BytesIO(cast("bytes", request.data or b"")),
                encoding="utf-8",
                newline="",
                errors="surrogateescape",
            ),
            read_cell=read_cell,
            actor=actor_of(request),
            dry_run=query.validated_data["dryRun"],
        )
        return Response(ImportReportSerializer(report).data)
