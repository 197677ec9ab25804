"""`If-Match` and `If-None-Match` (RFC 9110, 13.1): the conditions of a change, and of an answer."""

from collections.abc import Sequence
from http import HTTPStatus

from django.utils.http import parse_etags
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from products_app.services.catalogue import Precondition

ANY = "*"


class PreconditionRequired(APIException):
    """The change may undo what was sold since the caller read the product."""

    status_code = HTTPStatus.PRECONDITION_REQUIRED
    default_code = "precondition_required"
    default_detail = (
        "Pieces may have been sold since you read the stock. Send the ETag that you read as If-Match, or "
        "leave the stock out, or set it alone by PATCH."
    )


def etag_of(revision: str) -> str:
    """The strong ETag of a product at this revision."""
    return f'"{revision}"'


def precondition_of(request: Request) -> Precondition | None:
    """What the revision of a product must be so that the request may change it; None where any will do.

    `If-Match` compares strongly, so a weak ETag (`W/"…"`) never matches; `If-None-Match` compares weakly.
    """
    wanted, unwanted = _etags(request, "If-Match"), _etags(request, "If-None-Match")
    if wanted in (None, [ANY]) and unwanted is None:
        return None

    def holds(revision: str) -> bool:
        return _is_among(revision, wanted, default=True) and not _is_among(revision, _weak(unwanted))

    return holds


def is_known(request: Request, revision: str) -> bool:
    """Whether the caller of a GET has the product at this revision already."""
    return _is_among(revision, _weak(_etags(request, "If-None-Match")))


def _etags(request: Request, header: str) -> list[str] | None:
    value = request.headers.get(header)
    return None if value is None else parse_etags(value)


def _weak(etags: Sequence[str] | None) -> Sequence[str] | None:
    return None if etags is None else [each.removeprefix("W/") for each in etags]


def _is_among(revision: str, etags: Sequence[str] | None, *, default: bool = False) -> bool:
    """Whether the header, None where there is none, names the revision; what cannot be read has none."""
    if etags is None:
        return default
    return ANY in etags or (revision != "" and etag_of(revision) in etags)
