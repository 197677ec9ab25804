"""A TLS proxy for PostgreSQL, since the server in the tests' wheel was built without TLS."""

import asyncio
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from types import TracebackType
from typing import Self

from devtools.stack.server import HOST

# https://www.postgresql.org/docs/18/protocol-message-formats.html: SSLRequest, and the answer to it.
_SSL_REQUEST = bytes.fromhex("0000 0008 04d2 162f")
_ACCEPTED = b"S"


class TlsProxy:
    """Accepts TLS connections only; a context manager."""

    def __init__(self, port: int, server_port: int, certificate_and_key: Path) -> None:
        self._port = port
        self._server_port = server_port
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate_and_key)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._started = threading.Event()

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10), "the proxy did not start within 10 s"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._serve, HOST, self._port):
            self._started.set()
            await self._closing.wait()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            if await reader.readexactly(len(_SSL_REQUEST)) == _SSL_REQUEST:
                writer.write(_ACCEPTED)
                await writer.start_tls(self._context)
                server_reader, server_writer = await asyncio.open_connection(HOST, self._server_port)
                await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
