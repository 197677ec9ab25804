"""How an order is paid: by one of the test cards where the gateway takes no real money, else by a token.

A page of ours sees no card numbers: it names a card by a word, or takes the token that the gateway has given.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

LATER = "later"
"""The choice to pay on the page of the order."""
_TEST_KEY = "sk_test_"
_STRIPE_ITSELF = "https://api.stripe.com"


class TestCard(NamedTuple):
    """A card of the gateway's test mode, with what becomes of a payment by it."""

    name: str
    token: str
    label: Promise
    is_of_sandbox: bool = False


TEST_CARDS = (
    TestCard("visa", "pm_card_visa", gettext_lazy("Visa ending in 4242: pays")),
    TestCard("declined", "pm_card_chargeDeclined", gettext_lazy("Visa ending in 0002: is declined")),
    TestCard(
        "insufficient-funds",
        "pm_card_chargeDeclinedInsufficientFunds",
        gettext_lazy("Visa ending in 9995: is declined, not enough money"),
    ),
    TestCard(
        "fraudulent",
        "pm_card_chargeDeclinedFraudulent",
        gettext_lazy("Visa ending in 0019: is declined for good, the order is cancelled"),
    ),
    TestCard(
        "slow", "pm_sandbox_slow_5", gettext_lazy("Slow bank: pays after five seconds"), is_of_sandbox=True
    ),
    TestCard(
        "webhook",
        "pm_sandbox_webhook_only",
        gettext_lazy("Bank that answers later: pays by a message of the gateway"),
        is_of_sandbox=True,
    ),
)


def offered_test_cards() -> Sequence[TestCard]:
    """The test cards of this gateway; none where it takes real money, which its key tells."""
    if not settings.STRIPE_SECRET_KEY.startswith(_TEST_KEY):
        return ()
    is_sandbox = settings.STRIPE_API_BASE != _STRIPE_ITSELF
    return [card for card in TEST_CARDS if is_sandbox or not card.is_of_sandbox]


class PaymentForm(forms.Form):
    """A field by which an order is paid: `card` where there are test cards, else `payment_token`."""

    may_pay_later = False
    card = forms.ChoiceField(label=gettext_lazy("Card"), widget=forms.RadioSelect, required=False)
    payment_token = forms.CharField(
        label=gettext_lazy("Payment token"),
        help_text=gettext_lazy("The name by which the payment gateway knows your card."),
        max_length=255,
        required=False,
        validators=[
            RegexValidator(r"^[\x21-\x7e]*\Z", gettext_lazy("A payment token has no blanks and no accents."))
        ],
        # No page shows a token again.
        widget=forms.PasswordInput({"autocomplete": "off"}, render_value=False),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        cards = offered_test_cards()
        if not cards:
            del self.fields["card"]
            self.fields["payment_token"].required = not self.may_pay_later
            return
        del self.fields["payment_token"]
        choices = [(card.name, card.label) for card in cards]
        later = [(LATER, gettext_lazy("Pay later, on the page of the order"))] if self.may_pay_later else []
        field = self.fields["card"]
        field.choices = choices + later  # type: ignore[attr-defined]  # of a ChoiceField
        field.required, field.initial = True, cards[0].name

    @property
    def token(self) -> str:
        """The token to pay by; empty where the order is to be paid later. Only of a valid form."""
        tokens = {card.name: card.token for card in TEST_CARDS} | {LATER: ""}
        if "card" in self.cleaned_data:
            return tokens[self.cleaned_data["card"]]
        return str(self.cleaned_data["payment_token"])
