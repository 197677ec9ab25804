"""The raw site: a minimal view of Django REST framework, a POST with one INSERT, on the same web server."""

import os
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import path

_database = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="of-no-use",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    WEB_LIMITS={"threads": 1},
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _database.path.strip("/"),
            "USER": _database.username,
            "PASSWORD": _database.password,
            "HOST": _database.hostname,
            "PORT": _database.port,
            "CONN_MAX_AGE": None,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from rest_framework.request import Request  # noqa: E402 - needs the settings
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class OneInsert(APIView):
    """Accepts any JSON."""

    def post(self, request: Request) -> Response:
        """Stores the body and answers 201 with its id."""
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO raw_body (body) VALUES (%s) RETURNING id", [request.body.decode()])
            [number] = cursor.fetchone()
        return Response({"id": str(number)}, status=201)


urlpatterns = [path("", OneInsert.as_view())]
application = get_wsgi_application()
