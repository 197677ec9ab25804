"""The order pages of the admin as a browser uses them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

LIST = reverse("admin:orders_app_order_changelist")


@dataclass
class OrderPages:
    """The order pages in a signed-in browser."""

    client: Client

    def page(self, name: str, order_id: UUID) -> str:
        """The path of an order's page."""
        return reverse(f"admin:orders_app_order_{name}", args=[order_id])

    def read(self, order_id: UUID) -> str:
        """The text of an order's page."""
        page: str = self.client.get(self.page("change", order_id)).content.decode()
        return page

    def choose(self, action: str, *order_ids: UUID) -> Any:
        """Choose an action for these orders of the list: the page that asks for confirmation."""
        chosen = {"action": action, "_selected_action": [str(order_id) for order_id in order_ids]}
        return self.client.post(LIST, chosen, follow=True)

    def act(self, action: str, *order_ids: UUID, **fields: object) -> Any:
        """Choose an action for these orders, and confirm it."""
        asked = self.choose(action, *order_ids)
        return self.client.post(address_of(asked), fields, follow=True)

    def found(self, **query: str | int) -> list[str]:
        """The numbers of the orders that the list shows."""
        page = self.client.get(LIST, query)
        assert page.status_code == 200
        return [row.order_number for row in page.context["cl"].result_list]


def address_of(response: Any) -> str:
    """The address of the page, with its query."""
    address: str = response.wsgi_request.get_full_path()
    return address


def messages_of(response: Any) -> list[str]:
    """The messages on the page."""
    return [str(message) for message in get_messages(response.wsgi_request)] or [
        str(message) for message in response.context["messages"]
    ]
