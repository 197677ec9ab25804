"""Pages of lists."""

from typing import Any

from django.core.paginator import EmptyPage, InvalidPage, Page, PageNotAnInteger, Paginator
from django.http import Http404
from django.utils.functional import cached_property
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from web.bounded_count import Count, bounded_count

ESTIMATED = "X-Count-Estimated"
MAX_PAGE = 10**9
ALL_ROWS = 2**31 - 2


class KnownEndPage(Page):  # type: ignore[type-arg]  # not generic at run time
    """A page that was read with one row more, which tells whether there is a next one."""

    def __init__(self, rows: list[Any], number: int, paginator: "BoundedPaginator") -> None:
        super().__init__(rows[: paginator.per_page], number, paginator)
        self._has_next = len(rows) > paginator.per_page

    def has_next(self) -> bool:
        """Whether rows follow, which an estimated count could not tell."""
        return self._has_next

    def next_page_number(self) -> int:
        """The number of the next page, which an estimated count may deny."""
        return self.number + 1

    def previous_page_number(self) -> int:
        """The number of the page before."""
        return self.number - 1


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Reads the page first: a last page tells the count itself, and only then is a list counted."""

    _read_rows = 0

    @cached_property
    def counted(self) -> Count:
        """The number of all rows, at least of those that were read."""
        counted = bounded_count(self.object_list)
        return Count(max(counted.rows, self._read_rows), counted.is_exact)

    @property
    def count(self) -> int:
        """The number of all rows, or about as many."""
        return self.counted.rows

    def page(self, number: int | str) -> KnownEndPage:
        """This page. Raises PageNotAnInteger and EmptyPage."""
        number = _valid(number)
        start = (number - 1) * self.per_page
        rows = list(self.object_list[start : start + self.per_page + 1])
        if not rows and number > 1:
            raise EmptyPage(self.error_messages["no_results"])
        self._read_rows = start + len(rows)
        if len(rows) <= self.per_page:
            self.counted = Count(start + len(rows), is_exact=True)
        return KnownEndPage(rows, number, self)


def page_or_404(rows: Any, number: int | str, size: int) -> KnownEndPage:
    """This page of the rows, `size` on each. Raises Http404 where there is no such page."""
    try:
        return BoundedPaginator(rows, size).page(number)
    except InvalidPage as error:
        raise Http404 from error


def _valid(number: int | str) -> int:
    try:
        valid = int(number)
    except ValueError as error:
        raise PageNotAnInteger("That page number is not an integer") from error
    if valid < 1:
        raise EmptyPage("That page number is less than 1")
    if valid > MAX_PAGE:
        raise EmptyPage("That page contains no results")
    return valid


class Pages(PageNumberPagination):
    """`?page=2&pageSize=50`; a page that does not exist is a 404.

    `next` and `previous` are always right. `count` is an estimate where it is above EXACT_ROWS and pages
    follow; then the answer has the header X-Count-Estimated.
    """

    page_size = 20
    max_page_size = 100
    page_size_query_param = "pageSize"
    invalid_page_message = "There is no such page: {message}."
    django_paginator_class = BoundedPaginator

    def get_page_number(self, request: Request, paginator: BoundedPaginator) -> int | str:  # type: ignore[override]
        """The number asked for; `last` is found by counting everything."""
        asked = request.query_params.get(self.page_query_param) or 1
        if asked not in self.last_page_strings:
            return asked
        rows = bounded_count(paginator.object_list, ALL_ROWS).rows
        return max(1, -(-rows // paginator.per_page))

    def get_paginated_response(self, data: Any) -> Response:
        """The page as the answer."""
        response = super().get_paginated_response(data)
        paginator = self.page.paginator if self.page else None
        if isinstance(paginator, BoundedPaginator) and not paginator.counted.is_exact:
            response[ESTIMATED] = "true"
        return response
