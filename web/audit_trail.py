"""The audit trail of the admin, for work that is done once where its page is sent twice."""

from datetime import datetime
from typing import cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.http import HttpRequest
from msgspec import Struct


class DoneWork(Struct, frozen=True, kw_only=True):
    """What somebody did to an object: its kind, its id and its name then, a sentence, and the time."""

    model: type[models.Model]
    object_id: object
    name: str
    sentence: str
    at: datetime


def record_once(request: HttpRequest, work: DoneWork) -> None:
    """Write that the user did this, unless it is written.

    The same sentence of this user about this object, written since the work was done, is about the same work.
    """
    with transaction.atomic():
        # One request after the other, so that two for the same work do not both find nothing.
        kind = ContentType.objects.get_for_model(work.model)
        ContentType.objects.select_for_update(no_key=True).get(pk=kind.pk)
        entry = {
            "user": cast("User", request.user),
            "content_type": kind,
            "object_id": str(work.object_id),
            "change_message": work.sentence,
        }
        if not LogEntry.objects.filter(**entry, action_time__gte=work.at).exists():
            LogEntry.objects.create(**entry, object_repr=work.name[:200], action_flag=CHANGE)
