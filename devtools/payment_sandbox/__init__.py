"""A sandbox that speaks Stripe's API, with books on disk: `python -m devtools.payment_sandbox`.

It takes no money. What it answers follows from the test token of a payment (see `tokens`). Shapes, statuses
and errors are those of Stripe's API (https://docs.stripe.com/api), as far as this project uses it.
"""
