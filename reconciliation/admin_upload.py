"""The page on which people bring files. What is made of one is seen on the file's own page."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_site import site
from core.audit_trail import record_audit, user_actor
from core.errors import DomainError
from core.ids import public_id
from core.models import User
from core.transactions import at_edge, requires_transaction
from reconciliation.admin_forms import UploadForm
from reconciliation.models import SettlementSource
from reconciliation.services import receive_file
from reconciliation.types import ReceivedFile

__all__ = ["upload_view"]

_UPLOAD = "reconciliation.add_settlementfile"


def upload_view(request: HttpRequest) -> HttpResponse:
    """Ask for a file; one that was taken leads to its page, also when the source sent it before."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm(_UPLOAD):
        raise PermissionDenied
    form = UploadForm(
        request.POST or None, request.FILES or None, initial={"source": request.GET.get("source", "")}
    )
    if request.method == "POST" and form.is_valid():
        received = _receive(form, user_actor(user))
        if received is not None:
            if not received.is_new:
                messages.info(request, _("This very file was received before; nothing has changed."))
            return redirect("admin:reconciliation_settlementfile_change", received.file_id)
    request.current_app = site.name
    context = {
        **site.each_context(request),
        "title": _("Upload a file"),
        "form": form,
        "label": _("Receive the file"),
        "back": reverse("admin:reconciliation_settlementfile_changelist"),
    }
    return TemplateResponse(request, "reconciliation/upload.html", context)


def _receive(form: UploadForm, actor: str) -> ReceivedFile | None:
    values = form.cleaned_data
    upload = values["file"]
    try:
        received = receive_file(
            source_id=UUID(values["source"]),
            name=upload.name,
            body=upload.file,
            origin="upload",
            by=actor,
            asked_from=values["asked_from"],
            asked_to=values["asked_to"],
        )
    except DomainError as error:
        form.add_error("file", error.message)
        return None
    at_edge(_note)(UUID(values["source"]), received, upload.name, actor)
    return received


@requires_transaction
def _note(source_id: UUID, received: ReceivedFile, name: str, actor: str) -> None:
    merchant_id = SettlementSource.objects.values_list("merchant_id", flat=True).get(pk=source_id)
    record_audit(
        actor=actor,
        action="settlement_file.upload",
        subject=public_id("stl", received.file_id),
        detail={"name": name[:200], "is_new": received.is_new},
        merchant_id=merchant_id,
    )
