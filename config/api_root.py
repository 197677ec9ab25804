"""The front page of the API: where everything is."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

PAGES = {
    "products": "product-list",
    "orders": "order-list",
    "statuses": "order-statuses",
    "analytics": "analytics-summary",
    "register": "register",
    "token": "obtain-tokens",
    "schema": "schema",
    "docs": "docs",
    "events": "events",
}


class Stockbridge(APIView):
    """Orders and stock, kept in step."""

    permission_classes = (AllowAny,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """The addresses of the lists and forms."""
        return Response({name: reverse(view, request=request) for name, view in PAGES.items()})
