"""The tokens with which customers pay in a run: what becomes of each is told in the payment sandbox."""

import random

VISA, DECLINED = "pm_card_visa", "pm_card_chargeDeclined"
_SHARES = {
    VISA: 0.55,
    DECLINED: 0.12,
    "pm_card_chargeDeclinedInsufficientFunds": 0.05,
    "pm_card_chargeDeclinedFraudulent": 0.04,
    "pm_sandbox_lost_answer": 0.08,
    "pm_sandbox_unavailable_1": 0.05,
    "pm_sandbox_webhook_only": 0.07,
    "pm_sandbox_slow_1": 0.04,
}


def choose_token(rng: random.Random) -> str:
    """Any of them, those that pay more often."""
    return rng.choices(list(_SHARES), list(_SHARES.values()))[0]


def another_token(rng: random.Random) -> str:
    """For an order whose first payment was declined, or that waits for one."""
    return rng.choice((VISA, VISA, DECLINED))
