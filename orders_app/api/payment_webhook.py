"""`POST payments/webhook/`: what the payment gateway tells. Its signature is what lets it in."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders_app.event_log import Origin
from orders_app.exceptions import WebhookRefused
from orders_app.payments.webhooks.receiving import receive_webhook
from web.error_schema import refused
from web.rendering import JsonRenderer
from web.throttles import AddressThrottle

GATEWAY = "service:gateway"
SIGNATURE = "Stripe-Signature"


class PaymentWebhookView(APIView):
    """Events of the payment gateway, signed by it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    renderer_classes = (JsonRenderer,)

    @extend_schema(
        operation_id="receivePaymentWebhook",
        summary="Tell what happened to a payment",
        description="For the payment gateway. An event that came before, of an unknown type or about an "
        "unknown payment is taken too, and changes no order.",
        tags=["payments"],
        auth=[],
        parameters=[
            OpenApiParameter(
                SIGNATURE,
                location=OpenApiParameter.HEADER,
                required=True,
                description="The gateway's signature over the body as it is sent; at most 5 minutes old.",
            )
        ],
        request=OpenApiTypes.OBJECT,
        responses={
            200: OpenApiTypes.OBJECT,
            400: refused(WebhookRefused("There is no header Stripe-Signature.")),
        },
    )
    def post(self, request: Request) -> Response:
        """Act on the event. A signed request does not count for its address, as all come from a few."""
        receive_webhook(
            body=request.body,
            signature=request.headers.get(SIGNATURE, ""),
            origin=Origin(GATEWAY, request.trace_parent),  # type: ignore[attr-defined]
        )
        AddressThrottle().uncount(request)
        return Response({"received": True})
