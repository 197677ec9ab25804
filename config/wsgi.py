"""The HTTP application: granian serves it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# It needs the applications loaded.
from config.warm_up import warm_up  # noqa: E402

warm_up()
