"""Routes under `products/`. Each checks the shape, makes one call, and answers."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from products_app.api.preconditions import PreconditionRequired, etag_of, is_known, precondition_of
from products_app.api.serializers import ChangeSerializer, ProductQuerySerializer, ProductSerializer
from products_app.api.stock_endpoints import PRODUCT_ID, RELEASE, RESERVE
from products_app.api.stock_work import actor_of
from products_app.documents.reading import Product
from products_app.exceptions import ProductNotFound, ProductUnreadable
from products_app.selectors import ProductsFound, find_products, get_document, get_product
from products_app.services.catalogue import ProductFields, create_product, delete_product, update_product
from web.endpoint_view import EndpointView, documented
from web.error_schema import ERROR
from web.parsers import require_body

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The `ETag` that was read (or several, or `*`): where the product has another one, 412.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    location=OpenApiParameter.HEADER,
    description="An `ETag` that was read before (or several): where the product still has it, 304.",
)
ETAG = OpenApiParameter(
    "ETag",
    location=OpenApiParameter.HEADER,
    response=[200],
    description="Changes whenever anything of the product changes, its stock included.",
)
CHANGED = OpenApiResponse(ERROR, "The product is not as `If-Match` or `If-None-Match` wants it.")
STOCK_NEEDS_IF_MATCH = OpenApiResponse(
    ERROR, "`stock` is given without `If-Match`: what was sold meanwhile would be undone."
)
UNREADABLE = OpenApiResponse(ERROR, "Another program wrote fields that cannot be read (staff only).")
NOT_CHANGED = OpenApiResponse(
    ERROR, "Another product has this SKU; or another program wrote fields that cannot be read."
)
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
        product = create_product(actor=actor_of(request), **body.validated_data)
        return shown(product, status.HTTP_201_CREATED)


def shown(product: Product, status_code: int = status.HTTP_200_OK) -> Response:
    """A product as the answer."""
    headers = {"ETag": etag_of(product.revision)}
    return Response(ProductSerializer(product).data, status_code, headers=headers)


@extend_schema(tags=["products"], parameters=[PRODUCT_ID])
class ProductView(CatalogueView):
    """One product. One that is not for sale is shown to staff only."""

    def get_serializer_class(self) -> type[ProductSerializer]:
        """For changes, the one whose form has no stock."""
        return ProductSerializer if self.request.method in SAFE_METHODS else ChangeSerializer

    def get_object(self) -> Product:
        """The product, for the answer to OPTIONS. Raises NotFound."""
        try:
            return get_product(product_id=self.kwargs["product_id"], include_inactive=True)
        except (ProductNotFound, ProductUnreadable) as error:
            raise NotFound(str(error)) from error

    @extend_schema(
        operation_id="getProduct",
        summary="One product",
        parameters=[IF_NONE_MATCH, ETAG],
        responses={
            200: ProductSerializer,
            304: OpenApiResponse(description="The product still has the ETag of `If-None-Match`."),
            409: UNREADABLE,
        },
    )
    def get(self, request: Request, product_id: str) -> Response:
        """Show it. Its `ETag` changes whenever anything of it does, the stock included."""
        product = get_product(product_id=product_id, include_inactive=request.user.is_staff)
        # A page also shows who is signed in: it is always sent whole.
        if request.accepted_renderer.format == "json" and is_known(request, product.revision):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag_of(product.revision)})
        return shown(product)

    @extend_schema(
        operation_id="replaceProduct",
        summary="Change a product",
        description="Set what is given; name and price must be. With `stock` it needs `If-Match`.",
        parameters=[IF_MATCH, ETAG],
        request=ProductSerializer,
        responses={200: ProductSerializer, 409: NOT_CHANGED, 412: CHANGED, 428: STOCK_NEEDS_IF_MATCH},
    )
    def put(self, request: Request, product_id: str) -> Response:
        """Set what is given; name and price must be."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        if "stock" in body.validated_data and "If-Match" not in request.headers:
            get_document(product_id)  # an unknown product is a 404
            raise PreconditionRequired
        return self.update(request, product_id, body.validated_data)

    @extend_schema(
        operation_id="updateProduct",
        summary="Change some fields of a product",
        parameters=[IF_MATCH, ETAG],
        request=ProductSerializer,
        responses={200: ProductSerializer, 409: NOT_CHANGED, 412: CHANGED},
    )
    def patch(self, request: Request, product_id: str) -> Response:
        """Set what is given."""
        require_body(request)
        body = self.get_serializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        return self.update(request, product_id, body.validated_data)

    @extend_schema(
        operation_id="deleteProduct",
        summary="Take a product out of the catalogue",
        parameters=[IF_MATCH],
        responses={204: None, 409: HELD, 412: CHANGED},
    )
    def delete(self, request: Request, product_id: str) -> Response:
        """Delete it, unless orders hold pieces of it."""
        delete_product(product_id=product_id, precondition=precondition_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def update(self, request: Request, product_id: str, changes: ProductFields) -> Response:
        """The changed product."""
        product = update_product(
            product_id=product_id,
            precondition=precondition_of(request),
            actor=actor_of(request),
            **changes,
        )
        return shown(product)


@extend_schema_view(post=documented(RESERVE, "Reserve them. Again with the same body: the same answer."))
class ReserveView(EndpointView):
    """Take pieces of the product for an order, once however often it is asked."""

    endpoint = RESERVE


@extend_schema_view(post=documented(RELEASE, "Give them back. Again with the same body: the same answer."))
class ReleaseView(EndpointView):
    """Give pieces back that an order has reserved, never more than it holds."""

    endpoint = RELEASE
