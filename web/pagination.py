"""Pages of lists."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """`?page=2&pageSize=50`; a page that does not exist is a 404."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "pageSize"
    invalid_page_message = "There is no such page: {message}."
