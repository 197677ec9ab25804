"""The endpoints of one's own account, of a forgotten password, and of a new mail address."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError as RuleBroken
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.fields import get_error_detail
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from orders_app.accounts.account_serializers import (
    LinkSerializer,
    OwnAccountSerializer,
    ResetRequestSerializer,
    ResetSerializer,
)
from orders_app.accounts.links import InvalidLink
from orders_app.accounts.own_account import confirm_address, needs_confirmation
from orders_app.accounts.password_reset import request_reset, reset_password
from orders_app.accounts.throttles import AccountMailThrottle, MailAddressThrottle
from orders_app.accounts.views import AuthView, asking_user
from web.no_store import NoStore
from web.throttles import LoginThrottle, require_unthrottled


class OwnAccountView(NoStore, GenericAPIView[User]):
    """A user's own account."""

    serializer_class = OwnAccountSerializer
    pagination_class = None

    @extend_schema(operation_id="getOwnAccount", summary="Your account", tags=["auth"])
    def get(self, request: Request) -> Response:
        """Show names, mail address, and whether mails about orders are wanted."""
        return Response(self.get_serializer(self.own_account(request)).data)

    @extend_schema(operation_id="changeOwnAccount", summary="Change your account", tags=["auth"])
    def patch(self, request: Request) -> Response:
        """Change what is given. A new mail address counts once the link in a mail to it has been opened."""
        account = self.own_account(request)
        body = self.get_serializer(account, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        if needs_confirmation(account, body.validated_data.get("email")):
            require_unthrottled(request, (AccountMailThrottle, MailAddressThrottle))
        body.save()
        return Response(self.get_serializer(self.own_account(request)).data)

    def own_account(self, request: Request) -> User:
        """The user who asks, with what they have said of mail. Raises AuthenticationFailed."""
        return asking_user(request, User.objects.select_related("mail_preference", "mail_address_change"))


class RequestResetView(AuthView):
    """Asks for a link to a new password."""

    serializer_class = ResetRequestSerializer
    throttle_classes = (LoginThrottle, AccountMailThrottle, MailAddressThrottle)

    @extend_schema(
        operation_id="requestPasswordReset",
        summary="Ask for a link to a new password",
        responses={204: None},
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Have a link sent to the account with this mail address. The answer is the same if there is none."""
        request_reset(address=self.valid_body(request).validated_data["email"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class LinkView(AuthView):
    """An endpoint that takes what is in the link of a mail."""

    throttle_classes = (LoginThrottle,)

    def follow(self, link: dict[str, Any]) -> None:
        """Do what the link is for. Raises InvalidLink, and ValidationError of Django for another reason."""
        raise NotImplementedError

    def answer(self, request: Request, attribute: str) -> Response:
        """204, or the reason; the one that is not the link is about this attribute of the body."""
        link = self.valid_body(request).validated_data
        try:
            self.follow(link)
        except InvalidLink as error:
            raise ValidationError({"token": [error.sentence]}, "link_invalid") from error
        except RuleBroken as error:
            raise ValidationError({attribute: get_error_detail(error)}) from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResetPasswordView(LinkView):
    """Sets a new password by the link of a mail."""

    serializer_class = ResetSerializer

    @extend_schema(
        operation_id="resetPassword",
        summary="Set a new password by the link of a mail",
        responses={204: None},
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Store the new password. All sign-ins and sessions end. A link can be used once, for an hour."""
        return self.answer(request, "newPassword")

    def follow(self, link: dict[str, Any]) -> None:
        """Set the password. Raises InvalidLink and ValidationError."""
        reset_password(uid=link["uid"], token=link["token"], password=link["newPassword"])


class ConfirmAddressView(LinkView):
    """Confirms a new mail address by the link of a mail."""

    serializer_class = LinkSerializer

    @extend_schema(
        operation_id="confirmMailAddress",
        summary="Confirm a new mail address by the link of a mail",
        responses={204: None},
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Make the new address count. A link can be used once, for an hour."""
        return self.answer(request, "token")

    def follow(self, link: dict[str, Any]) -> None:
        """Confirm the address. Raises InvalidLink and ValidationError."""
        confirm_address(uid=link["uid"], token=link["token"])
