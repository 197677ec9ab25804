"""Users and groups in the admin: names and mail addresses are compared in one normal form."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from orders_app.accounts.mail_addresses import free_address
from orders_app.accounts.names import checked_name
from orders_app.admin.large_table import CappedPaginator

admin.site.unregister(User)
admin.site.unregister(Group)
EVERY_RIGHT = {"is_superuser", "user_permissions"}
"""The fields by which a user could be given every right."""


class NewUserForm(UserCreationForm):
    """A new user."""

    def clean_username(self) -> str:
        """The name as it is stored. Raises ValidationError where it is another user's."""
        return checked_name(self.cleaned_data["username"])


class UserForm(UserChangeForm):
    """A user; a name that collided before it was compared may stay."""

    def clean_username(self) -> str:
        """The name as it is stored. Raises ValidationError where it is another user's."""
        name: str = self.cleaned_data["username"]
        return checked_name(name, self.instance.pk) if "username" in self.changed_data else name

    def clean_email(self) -> str:
        """The mail address as it is stored. Raises ValidationError where another user holds it."""
        address: str = self.cleaned_data["email"]
        is_new = "email" in self.changed_data and address
        return free_address(address, self.instance.pk) if is_new else address


@admin.register(User)
class AccountAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Django's admin of users. A change of the password ends the user's sign-ins and sessions.

    Only superusers make superusers, change them, and give single permissions: staff who may edit users
    could otherwise give every right to themselves.
    """

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = [  # noqa: RUF012 - as in the class above
        "username",
        "email",
        "full_name",
        "is_staff",
        "works_in",
        "is_active",
        "last_login",
    ]
    list_filter: ClassVar = ["is_staff", "groups", "is_active", "is_superuser"]
    list_per_page = 50
    show_full_result_count = False
    paginator = CappedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """The users, with their groups in one query."""
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """The fields; without those that give every right, for all but superusers."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        return [
            (title, options | {"fields": [name for name in options["fields"] if name not in EVERY_RIGHT]})
            for title, options in fieldsets
        ]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whether the user may edit users, and this one is no superuser, or they are one themselves."""
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_above

    @display(description=_("name"))
    def full_name(self, user: User) -> str:
        """First and last name."""
        return user.get_full_name()

    @display(description=_("groups"))
    def works_in(self, user: User) -> str:
        """The groups of a member of staff; all rights of a superuser."""
        if user.is_superuser:
            return gettext("All rights")
        return ", ".join(group.name for group in user.groups.all())


@admin.register(Group)
class RoleAdmin(GroupAdmin, ModelAdmin):
    """Django's admin of groups."""
