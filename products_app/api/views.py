"""Routes under `products/`. Each checks the shape, makes one call, and answers."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from products_app.api.serializers import ProductQuerySerializer, ProductSerializer
from products_app.api.stock_endpoints import PRODUCT_ID, RELEASE, RESERVE
from products_app.selectors import ProductsFound, find_products, get_product
from products_app.services.catalogue import create_product, delete_product, update_product
from web.endpoint_view import EndpointView, documented
from web.error_schema import ERROR

SKU_TAKEN = OpenApiResponse(ERROR, "Another product has this SKU.")
MEANINGLESS = OpenApiResponse(ERROR, "A parameter has no meaning.")
HELD = OpenApiResponse(ERROR, "Orders hold pieces of the product.")


class CatalogueView(GenericAPIView[Any]):
    """Everybody reads, staff write."""

    serializer_class = ProductSerializer

    def get_permissions(self) -> list[BasePermission]:
        """By what is to be done."""
        return [AllowAny() if self.request.method in SAFE_METHODS else IsAdminUser()]


@extend_schema(tags=["products"])
class ProductListView(CatalogueView):
    """The catalogue. Customers see the products that are for sale, staff all."""

    filter_backends = ()

    def get_queryset(self) -> ProductsFound:  # type: ignore[override]  # it is only counted and sliced
        """The products that the query asks for. Raises ValidationError."""
        query = ProductQuerySerializer(data=self.request.query_params, partial=True)
        query.is_valid(raise_exception=True)
        return find_products(include_inactive=self.request.user.is_staff, **query.validated_data)

    @extend_schema(
        operation_id="listProducts",
        summary="Search, filter and sort the catalogue",
        parameters=[ProductQuerySerializer],
        responses={200: ProductSerializer(many=True), 400: MEANINGLESS},
    )
    def get(self, request: Request) -> Response:
        """One page of the products that match."""
        page = self.paginate_queryset(self.get_queryset())  # type: ignore[arg-type]
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="createProduct",
        summary="Put a product into the catalogue",
        responses={201: ProductSerializer, 409: SKU_TAKEN},
    )
    def post(self, request: Request) -> Response:
        """Create it."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        product = create_product(**body.validated_data)
        return Response(self.get_serializer(product).data, status.HTTP_201_CREATED)


@extend_schema(tags=["products"], parameters=[PRODUCT_ID])
class ProductView(CatalogueView):
    """One product. One that is not for sale is shown to staff only."""

    @extend_schema(operation_id="getProduct", summary="One product")
    def get(self, request: Request, product_id: str) -> Response:
        """Show it."""
        product = get_product(product_id=product_id, include_inactive=request.user.is_staff)
        return Response(self.get_serializer(product).data)

    @extend_schema(
        operation_id="replaceProduct",
        summary="Change a product",
        responses={200: ProductSerializer, 409: SKU_TAKEN},
    )
    def put(self, request: Request, product_id: str) -> Response:
        """Set what is given; name and price must be."""
        return self.update(request, product_id, partial=False)

    @extend_schema(
        operation_id="updateProduct",
        summary="Change some fields of a product",
        responses={200: ProductSerializer, 409: SKU_TAKEN},
    )
    def patch(self, request: Request, product_id: str) -> Response:
        """Set what is given."""
        return self.update(request, product_id, partial=True)

    @extend_schema(
        operation_id="deleteProduct",
        summary="Take a product out of the catalogue",
        responses={204: None, 409: HELD},
    )
    def delete(self, request: Request, product_id: str) -> Response:
        """Delete it, unless orders hold pieces of it."""
        delete_product(product_id=product_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def update(self, request: Request, product_id: str, *, partial: bool) -> Response:
        """PUT and PATCH, which differ in what must be given."""
        body = self.get_serializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        product = update_product(product_id=product_id, **body.validated_data)
        return Response(self.get_serializer(product).data)


@extend_schema_view(post=documented(RESERVE, "Reserve them. Again with the same body: the same answer."))
class ReserveView(EndpointView):
    """Take pieces of the product for an order, once however often it is asked."""

    endpoint = RESERVE


@extend_schema_view(post=documented(RELEASE, "Give them back. Again with the same body: the same answer."))
class ReleaseView(EndpointView):
    """Give pieces back that an order has reserved, never more than it holds."""

    endpoint = RELEASE
