"""Views for everybody, also for programs of other companies: they hold what the code says, and no data."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from kafka_workers.contract.asyncapi import HEADERS, OPTIONAL_HEADERS, asyncapi
from kafka_workers.contract.schemas import schema_text
from kafka_workers.contract.topics import BUSINESS_TOPICS, SCHEMA_VERSION, SCHEMAS_PATH, BusinessTopic
from kafka_workers.pages.event_fields import fields_of, with_code
from web.errors import error_response

Parameters = ParamSpec("Parameters")
JSON, YAML = "application/json", "application/yaml"
_BY_NAME = {topic.schema_name: topic for topic in BUSINESS_TOPICS}


def _read_only(
    view: Callable[Concatenate[HttpRequest, Parameters], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Parameters], HttpResponse]:
    """The view, which refuses what is neither GET nor HEAD, in the API's form."""

    @wraps(view)
    def answered(request: HttpRequest, /, *args: Parameters.args, **names: Parameters.kwargs) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request, *args, **names)
        refusal = error_response(
            HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f'Method "{request.method}" not allowed.'
        )
        refusal["Allow"] = "GET, HEAD"
        return refusal

    return answered


@_read_only
def schema_list(request: HttpRequest) -> HttpResponse:
    """Every message type with its version and the address of its schema."""
    results = [_listed(topic) for topic in BUSINESS_TOPICS]
    return JsonResponse({"count": len(results), "next": None, "previous": None, "results": results})


def _listed(topic: BusinessTopic) -> dict[str, object]:
    return {
        "type": topic.name,
        "version": SCHEMA_VERSION,
        "url": topic.data_schema,
        "title": topic.value.__name__,
        "description": topic.value.__doc__,
    }


@_read_only
def schema(request: HttpRequest, name: str) -> HttpResponse:
    """The schema of this name, such as `order.created.v1`."""
    if name not in _BY_NAME:
        detail = f"There is no schema {name[:100]}: {SCHEMAS_PATH} lists them."
        return error_response(HTTPStatus.NOT_FOUND, "not_found", detail)
    return HttpResponse(schema_text(_BY_NAME[name]), content_type="application/schema+json")


@_read_only
def asyncapi_document(request: HttpRequest) -> HttpResponse:
    """The AsyncAPI document: as JSON, or as YAML where `Accept` or `?format=yaml` asks for it."""
    document = asyncapi(f"{settings.PUBLIC_URL}{SCHEMAS_PATH}")
    if request.GET.get("format") == "yaml" or request.get_preferred_type([JSON, YAML]) == YAML:
        return HttpResponse(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), content_type=YAML)
    return JsonResponse(document)


@_read_only
def events_page(request: HttpRequest) -> HttpResponse:
    """The AsyncAPI document for people."""
    return render(request, "kafka_workers/events.html", {"topics": _topics(), "headers": _headers()})


def _topics() -> list[dict[str, object]]:
    return [
        {
            "name": topic.name,
            "summary": with_code(topic.value.__doc__ or ""),
            "key": topic.key,
            "senders": [worker.title for worker in topic.senders],
            "readers": [consumer.group for consumer in topic.readers],
            "schema_name": topic.schema_name,
            "schema_path": topic.schema_path,
            "fields": fields_of(topic),
        }
        for topic in BUSINESS_TOPICS
    ]


def _headers() -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "meaning": header.get("description") or f"Always {header['const']}.",
            "is_required": name not in OPTIONAL_HEADERS,
        }
        for name, header in HEADERS.items()
    ]
