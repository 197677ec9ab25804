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

    def save(self, order_id: UUID, **fields: object) -> Any:
        """Send the form of the order with these fields."""
        unchanged = {
            f"{inline}-{field}": number
            for inline in ("items", "payments", "refunds", "history")
            for field, number in (("TOTAL_FORMS", 0), ("INITIAL_FORMS", 0))
        }
        return self.client.post(self.page("change", order_id), unchanged | fields, follow=True)

    def act(self, action: str, *order_ids: UUID, **fields: object) -> Any:
        """Run an action on these orders."""
        chosen = {"action": action, "_selected_action": [str(order_id) for order_id in order_ids]}
        return self.client.post(LIST, chosen | fields, follow=True)


def messages_of(response: Any) -> list[str]:
    """The messages on the page."""
    return [str(message) for message in get_messages(response.wsgi_request)] or [
        str(message) for message in response.context["messages"]
    ]
