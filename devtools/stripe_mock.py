"""Stripe's own mock server, built in its pinned version where Go is there: `python -m devtools.stripe_mock`.

It knows Stripe's description of its API and refuses requests that do not fit it. It keeps nothing, ignores
idempotency keys and declines nothing.
"""

import sys
from pathlib import Path

from devtools.go_programs import NoGoProgram, go_install

VERSION = "v0.203.0"
_BUILD_SECONDS = 300


def stripe_mock() -> Path:
    """The program, built first if need be. Raises NoGoProgram."""
    return go_install("stripe-mock", "github.com/stripe/stripe-mock", VERSION, seconds=_BUILD_SECONDS)


if __name__ == "__main__":
    try:
        print(stripe_mock())
    except NoGoProgram as error:
        sys.exit(str(error))
