"""How often the tokens of one user may be refreshed or ended."""

from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import InvalidToken

from orders_app.accounts.tokens import read_refresh_token
from web.throttles import NameThrottle


class TokenNameThrottle(NameThrottle):
    """Requests with refresh tokens of one user.

    They are counted apart from attempts to sign in: else a stranger who tries passwords could keep the owner
    of the name from refreshing.
    """

    kind = "token_name"

    def name_of(self, request: Request) -> str | None:
        """The name in a valid refresh token."""
        sent = request.data.get("refresh") if isinstance(request.data, dict) else None
        try:
            return read_refresh_token(sent).get("username") if isinstance(sent, str) else None
        except InvalidToken:
            return None
