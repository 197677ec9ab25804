"""The HTTP application: web/server serves it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()

# These need the applications loaded.
from config.checks import refuse_unsafe_settings  # noqa: E402
from config.warm_up import begin  # noqa: E402
from web.fast_path import FastPath  # noqa: E402
from web.preflights import Preflights  # noqa: E402

application = Preflights(FastPath(django))
refuse_unsafe_settings()
begin()
