"""Members of staff with and without permissions for dead letters."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.kafka_workers.runtime.conftest import bench, short_delays
from tests.orders_app.ordering import catalogue, placer

__all__ = ["bench", "catalogue", "placer", "short_delays"]

Login = Callable[..., Client]


@pytest.fixture
def login(transactional_db: Any) -> Login:
    """Signs in a member of staff with these permissions."""

    def sign_in(*permissions: str) -> Client:
        user = User.objects.create_user(f"staff-{User.objects.count()}", is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="kafka_workers", codename__in=permissions)
        )
        assert user.user_permissions.count() == len(permissions)
        client = Client()
        client.force_login(user)
        return client

    return sign_in
