"""Mail in the admin: what became of each, what users want of it, and a preview of every kind."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from orders_app.accounts.account_mails import example_account_mails
from orders_app.admin.columns import linked_order
from orders_app.admin.large_table import CappedPaginator
from orders_app.mail.composing import Mail, write_mail
from orders_app.mail.examples import example_events
from orders_app.mail.reader import Reader, find_reader
from orders_app.models import AccountMail, MailPreference, MailRecord, Order
from orders_app.models.order import VIEW_CUSTOMERS
from web.read_only_admin import ReadOnlyAdmin, time_column

STATES = {
    "sent": "success",
    "sending": "info",
    "waiting": "info",
    "deferred": "warning",
    "unsure": "warning",
    "refused": "danger",
    "not_sent": "danger",
}
BEGUN = time_column("begun_at", _("Begun"))
ENDED = time_column("ended_at", _("Ended"))
CREATED = time_column("created_at", _("Asked for"))
DUE = time_column("due_at", _("Sent again at"))
PREVIEWS = "admin/orders_app/mailrecord/previews.html"


class RowsOfMails(ReadOnlyAdmin):
    """Lists of mails, with what became of each in its colour.

    Only staff who may see customers see the addresses, search them and filter by them.
    """

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """The columns."""
        return self._without_address(request, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """The fields of one mail."""
        return self._without_address(request, super().get_fields(request, obj))

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        """The fields that are searched."""
        return self._without_address(request, super().get_search_fields(request))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whether the list may be filtered by this field."""
        may_see = not _is_address(lookup) or request.user.has_perm(VIEW_CUSTOMERS)
        return may_see and super().lookup_allowed(lookup, value, request)

    def _without_address(self, request: HttpRequest, names: Sequence[Any]) -> Sequence[Any]:
        may_see = request.user.has_perm(VIEW_CUSTOMERS)
        return names if may_see else [name for name in names if not _is_address(name)]

    @display(description=_("State"), label=STATES, ordering="state")
    def shown_state(self, mail: MailRecord | AccountMail) -> tuple[str, str]:
        """The state, and its name for people."""
        return mail.state, mail.get_state_display()


def _is_address(name: Any) -> bool:
    return isinstance(name, str) and name.partition("__")[0] == "address"


@admin.register(MailRecord)
class MailRecordAdmin(RowsOfMails):
    """Lists mails, newest first, and leads to the previews."""

    change_list_template = "admin/orders_app/mailrecord/change_list.html"
    nothing = _("No mail about an order has been sent yet.")
    list_display: ClassVar = [BEGUN, "order_link", "kind", "address", "shown_state", "detail"]
    list_filter: ClassVar = ["state", "kind", "begun_at"]
    list_per_page = 50
    search_fields: ClassVar = ["order_number__startswith", "address__startswith"]
    search_help_text = _("Beginning of an order's number, or of a mail address")
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = CappedPaginator
    readonly_fields: ClassVar = ["order_link", "shown_state", BEGUN, ENDED]
    fields: ClassVar = [
        "order_link",
        "kind",
        "address",
        "shown_state",
        "detail",
        BEGUN,
        ENDED,
        "user_id",
        "event_id",
        "message_id",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MailRecord]:
        """The mails, with the ids of their orders."""
        order = Order.objects.order_by().filter(order_number=OuterRef("order_number")).values("pk")
        return super().get_queryset(request).annotate(id_of_order=Subquery(order))

    @display(description=_("Order"), ordering="order_number")
    def order_link(self, mail: Any) -> str:
        """The number of the order, which leads to its page if there is still one."""
        return linked_order(mail.id_of_order, mail.order_number) or mail.order_number

    def get_urls(self) -> list[URLPattern]:
        """The list, the preview of all mails, and a page for the HTML and one for the text of each."""
        view = self.admin_site.admin_view
        return [
            path("previews/", view(self.previews_view), name="orders_app_mailrecord_previews"),
            path("previews/<str:name>/html/", view(self.html_view), name="orders_app_mailrecord_html"),
            path("previews/<str:name>/text/", view(self.text_view), name="orders_app_mailrecord_text"),
            *super().get_urls(),
        ]

    def previews_view(self, request: HttpRequest) -> HttpResponse:
        """All mails with their subjects, as the signed-in user would read them."""
        reader = self._reader(request)
        mails = {name: write_mail(event, reader) for name, event in example_events(reader.user_id).items()}
        mails |= example_account_mails(reader)
        context = self.admin_site.each_context(request)
        context |= {"title": "Previews of all mails", "opts": self.opts, "mails": mails}
        return TemplateResponse(request, PREVIEWS, context)

    def html_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """The HTML of one mail, as it is sent."""
        return HttpResponse(self._mail(request, name).html)

    def text_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """The text of one mail, as it is sent."""
        mail = self._mail(request, name)
        return HttpResponse(f"Subject: {mail.subject}\n\n{mail.text}", "text/plain; charset=utf-8")

    def _mail(self, request: HttpRequest, name: str) -> Mail:
        """Raises Http404 where no mail has this name."""
        reader = self._reader(request)
        if event := example_events(reader.user_id).get(name):
            return write_mail(event, reader)
        if mail := example_account_mails(reader).get(name):
            return mail
        raise Http404("There is no such mail.")

    def _reader(self, request: HttpRequest) -> Reader:
        """Raises PermissionDenied where the user may not see mails."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        reader = find_reader(str(request.user.pk))
        assert reader, "a signed-in user has an account"
        return reader


@admin.register(AccountMail)
class AccountMailAdmin(RowsOfMails):
    """Lists mails about accounts, newest first."""

    nothing = _("No mail about an account has been sent yet.")
    nothing_more = _("Links to a new password, and links that confirm a mail address, would be here.")
    list_display: ClassVar = [CREATED, "kind", "address", "shown_state", "detail"]
    list_filter: ClassVar = ["state", "kind", "created_at"]
    list_per_page = 50
    search_fields: ClassVar = ["address__startswith"]
    search_help_text = _("Beginning of a mail address")
    ordering: ClassVar = ["-pk"]
    readonly_fields: ClassVar = ["shown_state", CREATED, DUE]
    fields: ClassVar = ["kind", "address", "user_id", "shown_state", "detail", CREATED, DUE]


@admin.register(MailPreference)
class MailPreferenceAdmin(ModelAdmin):
    """Which mail a user wants, and how money and time are written in it."""

    list_display: ClassVar = ["user", "notifications", "language", "time_zone"]
    list_filter: ClassVar = ["notifications"]
    list_select_related: ClassVar = ["user"]
    search_fields: ClassVar = ["user__username__startswith"]
    autocomplete_fields: ClassVar = ["user"]
