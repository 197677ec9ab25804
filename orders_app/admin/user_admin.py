"""Users in the admin: their names and mail addresses are compared in one normal form."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from orders_app.accounts.mail_addresses import free_address
from orders_app.accounts.names import checked_name

admin.site.unregister(User)


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
    """Django's admin of users. A change of the password ends the user's sign-ins and sessions."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
