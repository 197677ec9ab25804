"""The application that daphne serves: sockets and the health checks."""

import os

import daphne.http_protocol
import daphne.server
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from daphne.ws_protocol import WebSocketFactory
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

from foundation.ecs_line import name_process
from foundation.garbage_collection import pause_garbage_collector, tune_garbage_collector
from foundation.logging import log_uncaught_errors

pause_garbage_collector()
name_process("sockets")
log_uncaught_errors()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

# These need the applications loaded.
from config.checks import refuse_unsafe_settings  # noqa: E402
from foundation.tracing import begin_tracing  # noqa: E402
from orders_app.accounts.ended_sign_ins import watch_sign_ins  # noqa: E402
from orders_app.sockets.open_sockets import open_sockets  # noqa: E402
from orders_app.sockets.order_socket import OrderSocket  # noqa: E402
from web.slow_readers import SlowReaderProtocol  # noqa: E402
from web.socket_address import SOCKETS_PATH  # noqa: E402
from web.socket_door import BodilessRequest, BoundedFactory, health_alone  # noqa: E402
from web.socket_heartbeat import beat_while_serving  # noqa: E402
from web.socket_middleware import OriginCheck, observe_sockets  # noqa: E402

refuse_unsafe_settings()
begin_tracing("sockets")
beat_while_serving("sockets")
watch_sign_ins(open_sockets.tell)
# daphne has no options for these, and makes its factories after it has read this file.
WebSocketFactory.protocol = SlowReaderProtocol
daphne.http_protocol.WebRequest = BodilessRequest
daphne.server.HTTPFactory = BoundedFactory

sockets = URLRouter(
    [
        path(SOCKETS_PATH.removeprefix("/"), OrderSocket.as_asgi()),
        re_path("", WebsocketDenier.as_asgi()),
    ]
)
# "*" would let any page on the web use its visitors' session cookies here.
own_hosts = [host for host in settings.ALLOWED_HOSTS if host != "*"]
application = ProtocolTypeRouter(
    {
        "http": health_alone(django_application),
        "websocket": observe_sockets(OriginCheck(sockets, [*own_hosts, settings.FRONTEND_URL])),
    }
)
tune_garbage_collector()
