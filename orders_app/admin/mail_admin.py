"""Mail in the admin: what became of each, what users want of it, and a preview of every kind."""

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


class MailStateColumn:
    """The column with what became of a mail, in its colour."""

    @display(description=_("State"), label=STATES, ordering="state")
    def shown_state(self, mail: MailRecord | AccountMail) -> tuple[str, str]:
        """The state, and its name for people."""
        return mail.state, mail.get_state_display()


@admin.register(MailRecord)
class MailRecordAdmin(MailStateColumn, ReadOnlyAdmin):
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
class AccountMailAdmin(MailStateColumn, ReadOnlyAdmin):
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
