"""How often the tokens of one user may be refreshed or ended, and mails about accounts be asked for."""

from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import InvalidToken

from foundation.mail_addresses import normal_form
from orders_app.accounts.tokens import read_refresh_token
from web.throttles import NameThrottle, RegistrationThrottle, posted_text


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


class AccountMailThrottle(RegistrationThrottle):
    """Mails about accounts that are asked for from one address of the network."""

    kind = "account_mail"


class MailAddressThrottle(NameThrottle):
    """Mails about accounts to one mail address, in any form of it, whether or not an account has it."""

    kind = "mail_address"

    def name_of(self, request: Request) -> str | None:
        """The mail address in the form or body."""
        sent = posted_text(request, "email")
        return None if sent is None else normal_form(sent)
