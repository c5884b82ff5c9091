"""People and their roles; only superusers come here, and everything they do is in the audit trail."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import display, register
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from core.admin_base import ReadOnlyAdmin, ServiceAction
from core.admin_display import state
from core.admin_site import site
from core.models import User
from core.sign_in import device_of, remove_device

__all__: list[str] = []

if TYPE_CHECKING:
    _DjangoUserAdmin = DjangoUserAdmin[User]
else:
    _DjangoUserAdmin = DjangoUserAdmin


def _remove(*, row: User, actor: str, reason: str) -> None:
    remove_device(user=row, actor=actor, reason=reason)


@register(User, site=site)
class UserAdmin(ReadOnlyAdmin, _DjangoUserAdmin):
    """Superusers are made on the command line, so that the console cannot raise anybody to one."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("username", "full_name", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username__exact", "email__exact")
    search_help_text = _("The whole user name or e-mail address")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "is_superuser")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "groups", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2", "is_staff", "groups")}),)
    service_actions = (
        ServiceAction(
            name="remove_device",
            label=_("Remove authenticator app"),
            icon="phonelink_erase",
            says=_(
                "The person adds a new app at the next sign-in. Make sure that it is really this person who"
                " asks."
            ),
            done=_("The authenticator app was removed."),
            permission="core.change_user",
            run=_remove,
            applies=lambda row: device_of(row) is not None,
            step_up=True,
            is_dangerous=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Fetch the roles with the page."""
        return super().get_queryset(request).prefetch_related("groups")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only superusers."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers."""
        return self.has_view_permission(request)

    @display(description=_("Name"))
    def full_name(self, row: User) -> str:
        """First and last name."""
        return row.get_full_name() or "–"

    @display(description=_("Roles"))
    def roles(self, row: User) -> Any:
        """The roles, in words."""
        names = sorted(group.name.replace("_", " ") for group in row.groups.all())
        if row.is_superuser:
            names.append(str(_("superuser")))
        return ", ".join(names) or state("NONE", "neutral")
