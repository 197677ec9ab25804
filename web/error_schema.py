"""The one form of errors, for the OpenAPI schema."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema_serializer
from rest_framework import serializers

from foundation.refusals import Refusal

ERROR = {"$ref": "#/components/schemas/Error"}


class OneErrorSerializer(serializers.Serializer[dict[str, str | None]]):
    """One thing that is wrong."""

    code = serializers.CharField(help_text="For programs.")
    detail = serializers.CharField(help_text="For people.")
    attr = serializers.CharField(
        allow_null=True, help_text="The field it is about, with dots for what is inside: `items.0.quantity`."
    )


@extend_schema_serializer(component_name="Error")
class ErrorSerializer(serializers.Serializer[dict[str, object]]):
    """Why a request was refused or failed; some refusals add facts of their own."""

    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = OneErrorSerializer(many=True)  # type: ignore[assignment]  # DRF has an attribute of this name


def refused(refusal: Refusal) -> OpenApiResponse:
    """A refusal that an endpoint gives besides the general errors, by an example."""
    return OpenApiResponse(ERROR, str(refusal), [refused_example(refusal)])


def refused_example(refusal: Refusal) -> OpenApiExample:
    """The answer of a refusal, as an example."""
    error = {"code": refusal.code, "detail": str(refusal), "attr": None}
    example = {"type": "client_error", "errors": [error], **refusal.facts}
    return OpenApiExample(refusal.code, example, response_only=True)
