"""msgspec structs in the OpenAPI schema, so that a body's shape is written down once: in the struct."""

from typing import Any, ClassVar, get_args

import msgspec
from django.db.models import Choices
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_choice_description_list, list_hash
from drf_spectacular.utils import Direction
from rest_framework.serializers import BaseSerializer

COMPONENTS = "#/components/schemas/"


def choices_schema(kind: type) -> dict[str, Any]:
    """Django's choices, which msgspec decodes but can't describe."""
    if not issubclass(kind, Choices):
        raise NotImplementedError
    return {
        "type": "integer" if issubclass(kind, int) else "string",
        "enum": kind.values,
        "description": build_choice_description_list(kind.choices),
        "x-spec-enum-id": list_hash(kind.choices),
    }


class StructSerializer(BaseSerializer[Any]):
    """Shows a struct to the framework; `example` fills the form of the browsable API."""

    struct: ClassVar[type[msgspec.Struct]]
    example: ClassVar[dict[str, Any]] = {}
    # The browsable API looks through these for fields to hide; a struct has none.
    fields: ClassVar[dict[str, Any]] = {}

    def get_initial(self) -> dict[str, Any]:
        """What the browsable API offers for editing."""
        return self.example

    def to_representation(self, instance: msgspec.Struct) -> Any:
        """The struct in its JSON form."""
        return msgspec.to_builtins(instance, str_keys=True)


def _always_there(struct: type[msgspec.Struct]) -> list[str]:
    """The names of the fields that an answer always has, those with a default too unless it omits them."""
    leaves_out = struct.__struct_config__.omit_defaults
    return [
        field.encode_name
        for field in msgspec.structs.fields(struct)
        if field.required or not (leaves_out or msgspec.UnsetType in get_args(field.type))
    ]


class StructSchema(OpenApiSerializerExtension):
    """Takes the JSON Schema from the struct; the structs inside it become components of their own."""

    target_class = StructSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """The schema of the struct, with the rest of its components registered."""
        struct = self.target.struct
        _, components = msgspec.json.schema_components(
            [struct], schema_hook=choices_schema, ref_template=f"{COMPONENTS}{{name}}"
        )
        schema: dict[str, Any] = components.pop(struct.__name__)
        if direction == "response":
            schema["required"] = _always_there(struct)
        for name, part in components.items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(name, ResolvedComponent.SCHEMA, schema=part, object=name)
            )
        return schema
