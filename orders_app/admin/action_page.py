"""The page before an action: what will happen to which orders, what cannot happen and why."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from msgspec import Struct
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from orders_app.admin.action_report import Outcome, tell_outcomes
from orders_app.admin.address_page import require_one_line
from orders_app.admin.chosen_orders import chosen_ids, page_about
from orders_app.admin.order_actions import ACTIONS, Given, OrderAction
from orders_app.admin.origins import origin_of
from orders_app.admin.override_page import override_url
from orders_app.admin.permissions import VIEW_ORDER, require_permissions
from orders_app.document import OrderDocument
from orders_app.exceptions import ChecksPending, OrderError, TransitionNotAllowed
from orders_app.models import Order, PaymentToken
from orders_app.models.order import OVERRIDE_CHECKS, VIEW_CUSTOMERS
from orders_app.models.rows import document_of

MAX_REASON, MAX_TRACKING_NUMBER = 500, 100
SUGGESTED_REASONS = (
    _("The customer asked for it."),
    _("The product is not in stock."),
    _("The address cannot be delivered to."),
)


class Choice(Struct, frozen=True):
    """One of the chosen orders: why the action cannot be done with it, or None and what follows from it."""

    order: Order
    document: OrderDocument
    refusal: OrderError | None
    consequences: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Why nothing happens to the order."""
        return sentence_of(self.refusal) if self.refusal else ""


class ActionForm(forms.Form):
    """What the action asks for: a reason, or a tracking number for each order."""

    def __init__(self, action: OrderAction, ready: Sequence[Choice], given: QueryDict | None) -> None:
        super().__init__(given)
        self._ready = ready
        if action.asks_reason:
            self.fields["reason"] = _reason_field()
        for choice in ready if action.asks_tracking else ():
            self.fields[f"tracking-{choice.order.pk}"] = tracking_field(choice.order)

    @property
    def given(self) -> Given:
        """What was written in the form, once it is valid."""
        numbers = {
            choice.order.pk: self.cleaned_data.get(f"tracking-{choice.order.pk}", "")
            for choice in self._ready
        }
        return Given(reason=self.cleaned_data.get("reason", ""), tracking_numbers=numbers)

    def rows(self) -> Iterator[tuple[Choice, forms.BoundField | None]]:
        """The orders that the action changes, each with its field if it has one."""
        for choice in self._ready:
            name = f"tracking-{choice.order.pk}"
            yield choice, self[name] if name in self.fields else None


def action_url(action: OrderAction, orders: Sequence[UUID | str]) -> str:
    """The address of the page for this action and these orders."""
    return page_about(reverse("admin:orders_app_order_action", args=[action.name]), orders)


def show_action_page(admin: ModelAdmin, request: HttpRequest, name: str) -> HttpResponse:
    """Ask for confirmation, or do it and tell what was done.

    Raises PermissionDenied where the user may not, and Http404 where the address names no action or order.
    """
    action = _action(request, name)
    choices = [choice_of(action, order, token_sent=sent) for order, sent in _chosen(request.GET)]
    ready = [choice for choice in choices if choice.refusal is None]
    form = ActionForm(action, ready, request.POST if request.method == "POST" else None)
    if form.is_valid():
        outcomes = [_done(admin, request, action, choice, form.given) for choice in choices]
        return tell_outcomes(request, str(action.label), outcomes)
    return TemplateResponse(
        request,
        "admin/orders_app/order/action.html",
        admin.admin_site.each_context(request)
        | _context(request, action, choices, form)
        | {"opts": admin.opts},
        status=400 if form.is_bound else 200,
    )


def sentence_of(refusal: OrderError) -> str:
    """Why the action is not done; that an order is as it should be already is no failure."""
    if isinstance(refusal, TransitionNotAllowed) and refusal.current == refusal.wanted:
        return gettext("It is %(status)s already.") % {"status": refusal.wanted.label}
    if isinstance(refusal, ChecksPending):
        return f"{refusal.sentence}."
    return str(refusal)


def _action(request: HttpRequest, name: str) -> OrderAction:
    action = ACTIONS.get(name)
    if action is None:
        raise Http404("There is no such action.")
    require_permissions(request, VIEW_ORDER, action.permission)
    return action


def _chosen(query: QueryDict) -> Iterator[tuple[Order, bool]]:
    """The orders in the address, oldest first, each with whether a token of it is with the gateway."""
    ids = chosen_ids(query)
    found = Order.objects.filter(pk__in=ids).select_related("user").prefetch_related("items").order_by("pk")
    orders = list(found)
    if not orders:
        raise Http404("There is no such order.")
    sent = set(
        PaymentToken.objects.filter(order_id__in=ids, sent_at__isnull=False).values_list(
            "order_id", flat=True
        )
    )
    return ((order, order.pk in sent) for order in orders)


def choice_of(action: OrderAction, order: Order, *, token_sent: bool) -> Choice:
    """Whether the action can be done with the order now; `token_sent`: a token of it is with the gateway."""
    document = document_of(order)
    try:
        action.check(document, token_sent)
    except OrderError as refusal:
        return Choice(order, document, refusal)
    return Choice(order, document, None, tuple(action.consequences(document)))


def _done(
    admin: ModelAdmin, request: HttpRequest, action: OrderAction, choice: Choice, given: Given
) -> Outcome:
    """Do the action with one order; what became of it."""
    order, sentence = choice.order, choice.sentence
    if not sentence:
        try:
            action.run(order.pk, given, origin_of(request))
            admin.log_change(request, order, f"{action.label}.")
        except OrderError as refusal:
            sentence = sentence_of(refusal)
    return Outcome(str(order.pk), order.order_number, sentence)


def _context(
    request: HttpRequest, action: OrderAction, choices: Sequence[Choice], form: ActionForm
) -> dict[str, Any]:
    refused = [choice for choice in choices if choice.refusal is not None]
    only = choices[0].order if len(choices) == 1 else None
    back = ("change", [only.pk]) if only else ("changelist", [])
    return {
        "title": f"{action.label}: {only.order_number}" if only else action.label,
        "action": action,
        "form": form,
        "ready": len(choices) - len(refused),
        "refused": refused,
        "override_url": _override_url(request, action, refused),
        "shows_customers": request.user.has_perm(VIEW_CUSTOMERS),
        "suggested_reasons": SUGGESTED_REASONS,
        "back_url": reverse(f"admin:orders_app_order_{back[0]}", args=back[1]),
    }


def _override_url(request: HttpRequest, action: OrderAction, refused: Sequence[Choice]) -> str:
    """The page on which the refused orders may go on; empty where none may, or not by this user."""
    overridable = [choice.order for choice in refused if isinstance(choice.refusal, ChecksPending)]
    if action.status is None or not overridable or not request.user.has_perm(OVERRIDE_CHECKS):
        return ""
    return override_url(overridable, action.status)


def _reason_field() -> forms.CharField:
    return forms.CharField(
        max_length=MAX_REASON,
        label=_("Reason"),
        help_text=_("The customer is told this reason, by mail and on the page of the order."),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "suggested_reasons"}),
    )


def tracking_field(order: Order) -> forms.CharField:
    """The field for the tracking number of an order."""
    return forms.CharField(
        max_length=MAX_TRACKING_NUMBER,
        required=False,
        label=_("Tracking number of %(number)s") % {"number": order.order_number},
        initial=order.tracking_number,
        validators=[require_one_line],
        widget=UnfoldAdminTextInputWidget(),
    )
