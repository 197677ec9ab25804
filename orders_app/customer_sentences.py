"""The sentences for customers that our services, or the gateway, have written in English: in other languages.

They are stored in English when they are written, and translated when they are shown.
"""

import re
from collections.abc import Mapping

from django.utils.translation import gettext, gettext_noop

KNOWN = frozenset(
    {
        gettext_noop("Cancelled at the customer's request."),
        gettext_noop("Cancelled by the shop."),
        gettext_noop("The stock kept for this order was given up, so it had to be cancelled."),
        gettext_noop(
            "Your payment did not arrive in the time for which we keep items aside, "
            "so the order was cancelled."
        ),
        gettext_noop("The payment was declined, so the order was cancelled. Nothing was charged."),
        gettext_noop("The order was cancelled before its stock was reserved."),
        gettext_noop("The order was cancelled after it was paid."),
        gettext_noop("The payment came after the order was cancelled."),
        gettext_noop("The order was paid already."),
        gettext_noop("The audit found that this money had not gone back."),
        gettext_noop("We could not reserve your order."),
        gettext_noop("This means of payment is not known or was used before. Please enter it again."),
        gettext_noop("The payment could not be taken. Please pay by another means."),
        gettext_noop("Your payment was declined. Please pay by another means."),
        gettext_noop(
            "Your bank asks for a confirmation that cannot be given here. Please pay by another means."
        ),
        gettext_noop("The payment was called off. Please pay again."),
        # Stripe's own.
        gettext_noop("Your card was declined."),
        gettext_noop("Your card has insufficient funds."),
        gettext_noop("Your card has expired."),
        gettext_noop("Your card number is incorrect."),
        gettext_noop("Your card's security code is incorrect."),
        gettext_noop("Your card does not support this type of purchase."),
        gettext_noop("An error occurred while processing your card."),
        gettext_noop("Your card was declined. This transaction requires authentication."),
    }
)
_REJECTED = "We could not reserve your order: "
_PARTS: Mapping[str, str] = {
    r"(?P<requested>\d+) requested, (?P<available>\d+) available": gettext_noop(
        "%(requested)s requested, %(available)s available"
    ),
    r"(?P<requested>\d+) requested, no longer sold": gettext_noop("%(requested)s requested, no longer sold"),
    r"(?P<requested>\d+) requested, no longer in the catalogue": gettext_noop(
        "%(requested)s requested, no longer in the catalogue"
    ),
    r"and (?P<more>\d+) more products": gettext_noop("and %(more)s more products"),
}


def translated(sentence: str) -> str:
    """The sentence in the active language; one that people have written stays as it is."""
    if sentence in KNOWN:
        return gettext(sentence)
    if not sentence.startswith(_REJECTED):
        return sentence
    parts = sentence.removeprefix(_REJECTED)
    for pattern, text in _PARTS.items():
        parts = re.sub(pattern, lambda found, text=text: gettext(text) % found.groupdict(), parts)  # type: ignore[misc]
    return gettext("We could not reserve your order: %(lines)s") % {"lines": parts}
