"""What the routes of orders take and give, as structs; beside each what the API's pages show of it."""

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from orders_app.document import OrderDocument, ShippingAddress
from orders_app.history.story import HistoryEntry
from orders_app.services.place_order import ItemRequest
from orders_app.state_machine import OrderStatus, PaymentMethod
from web.struct_schema import StructSerializer

MAXIMUM_ITEMS = 100
# No control characters: PostgreSQL keeps no NUL.
# In Python `$` also matches before a last line break; what follows it makes it the end of the text.
ONE_LINE = r"^[^\x00-\x1f\x7f]*$(?!\n)"
NOT_BLANK = rf"^(?=.*\S){ONE_LINE[1:]}"
Text = Annotated[str, Meta(max_length=200, pattern=NOT_BLANK)]
ShortText = Annotated[str, Meta(max_length=100, pattern=NOT_BLANK)]
State = Annotated[str, Meta(max_length=100, pattern=ONE_LINE)]
ZipCode = Annotated[str, Meta(max_length=20, pattern=ONE_LINE)]
TrackingNumber = Annotated[str, Meta(max_length=100, pattern=ONE_LINE)]
Reason = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
# The gateway's tokens are words; like a header, they have no blanks.
PaymentToken = Annotated[str, Meta(max_length=255, pattern=r"^[\x21-\x7e]*$(?!\n)")]


class NewAddress(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an order shall go. Not every country has states and zip codes."""

    street: Text
    city: ShortText
    state: State = ""
    zip_code: ZipCode = ""
    country: ShortText

    @property
    def stored(self) -> ShippingAddress:
        """The address as an order has it."""
        return ShippingAddress(
            street=self.street,
            city=self.city,
            state=self.state,
            zip_code=self.zip_code,
            country=self.country,
        )


class PlaceOrder(Struct, frozen=True, rename="camel"):
    """An order as a customer asks for it. Anything else that is sent, prices above all, is ignored."""

    items: Annotated[list[ItemRequest], Meta(min_length=1, max_length=MAXIMUM_ITEMS)]
    shipping_address: NewAddress
    payment_method: PaymentMethod
    payment_token: PaymentToken | None = None


class EditOrder(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a customer may change while the order is Pending."""

    shipping_address: NewAddress | UnsetType = UNSET


class EditOrderByStaff(EditOrder, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What staff may change besides; an empty tracking number, or null, takes back the one that is set."""

    tracking_number: TrackingNumber | UnsetType | None = UNSET


class CancelOrder(Struct, frozen=True):
    """Why the order is cancelled, in the words of the person who cancels it."""

    reason: Reason = ""


class ChangeStatus(Struct, frozen=True):
    """The status the order shall have; `override` lets it go on without stock or payment, for a reason."""

    status: OrderStatus
    override: bool = False
    reason: Reason = ""


class Status(Struct, frozen=True, rename="camel"):
    """A status of orders and what may follow it."""

    code: OrderStatus
    label: str
    allowed_transitions: tuple[OrderStatus, ...]


ADDRESS: dict[str, Any] = {
    "street": "12 Mill Lane",
    "city": "Bristol",
    "state": "Avon",
    "zipCode": "BS1 4ND",
    "country": "United Kingdom",
}


class PlaceOrderSerializer(StructSerializer):
    """An order to be placed."""

    struct = PlaceOrder
    example: ClassVar = {
        "items": [{"productId": "665f1f77bcf86cd799439011", "quantity": 2}],
        "shippingAddress": ADDRESS,
        "paymentMethod": PaymentMethod.CASH_ON_DELIVERY.value,
    }


class EditOrderSerializer(StructSerializer):
    """An order's editable fields."""

    struct = EditOrderByStaff
    example: ClassVar = {"shippingAddress": ADDRESS}

    def to_representation(self, instance: Any) -> Any:
        """What the browsable page of this order offers for editing."""
        fields = {"shippingAddress": msgspec.to_builtins(instance.shipping_address)}
        is_staff = self.context["request"].user.is_staff
        return fields | ({"trackingNumber": instance.tracking_number} if is_staff else {})


class CancelOrderSerializer(StructSerializer):
    """A cancellation."""

    struct = CancelOrder
    example: ClassVar = {"reason": "Ordered twice by mistake."}


class ChangeStatusSerializer(StructSerializer):
    """A step of an order."""

    struct = ChangeStatus
    example: ClassVar = {"status": OrderStatus.SHIPPED.value}


class OrderSerializer(StructSerializer):
    """An order as it is shown."""

    struct = OrderDocument


class HistoryEntrySerializer(StructSerializer):
    """An entry of an order's history."""

    struct = HistoryEntry


class StatusSerializer(StructSerializer):
    """A status."""

    struct = Status
