"""Many sockets of many customers, in a process of its own: `python -m devtools.benchmarks.socket_load`.

Reads the address and the tokens from standard input, opens a socket for each token, writes a line when all
are open, and notes the age of each event on arrival, by its timestamp. Ends when its standard input is
closed. It implements only the necessary part of the WebSocket protocol (RFC 6455).
"""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from devtools.stack.spawn import PROJECT

_HANDSHAKE = (
    b"GET /ws/orders/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_TIMESTAMP = re.compile(rb'"timestamp": ?"([^"]+)"')
_TEXT, _PING = 1, 9
_OPENED_TOGETHER = 50


class SocketPlan(Struct, frozen=True):
    """The address to connect to, and the token of each socket."""

    host: str
    port: int
    tokens: list[str]


class _Socket(asyncio.Protocol):
    def __init__(self, token: str, ages: list[float]) -> None:
        self._token = token
        self._ages = ages
        self._buffer = b""
        self._is_open = False
        self.subscribed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self._is_open, self._buffer = head.startswith(b"HTTP/1.1 101"), rest
            self._send({"type": "authenticate", "token": self._token})
            self._send({"type": "subscribe:orders"})
        while frame := _take_frame(self._buffer):
            opcode, payload, self._buffer = frame
            self._receive(opcode, payload)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.subscribed.done():
            self.subscribed.set_exception(ConnectionError("a socket was closed before it was subscribed"))

    def _send(self, message: dict[str, str]) -> None:
        self._transport.write(_masked(_TEXT, msgspec.json.encode(message)))

    def _receive(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._transport.write(_masked(_PING + 1, payload))
        elif b'"subscribed:orders"' in payload:
            self.subscribed.set_result(None)
        elif found := _TIMESTAMP.search(payload):
            self._ages.append(time.time() - datetime.fromisoformat(found[1].decode()).timestamp())


def _take_frame(buffer: bytes) -> tuple[int, bytes, bytes] | None:
    """Opcode and payload of the first complete frame, and the rest of the buffer; servers send no masks."""
    if len(buffer) < 2:
        return None
    size, start = buffer[1], 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(buffer[2:start])
    if len(buffer) < start + size:
        return None
    return buffer[0] & 15, buffer[start : start + size], buffer[start + size :]


def _masked(opcode: int, payload: bytes) -> bytes:
    """A frame from a client; its mask is all zeros, so the payload is unchanged."""
    size = len(payload)
    length = bytes([128 | size]) if size < 126 else bytes([128 | 126]) + size.to_bytes(2)
    return bytes([128 | opcode]) + length + bytes(4) + payload


class RunningSockets:
    """The process with the sockets, all open and subscribed when this is created; a context manager."""

    def __init__(self, host: str, port: int, tokens: Sequence[str]) -> None:
        command = [sys.executable, "-m", "devtools.benchmarks.socket_load"]
        self._process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._send(msgspec.json.encode(SocketPlan(host, port, list(tokens))))
        self._read_line()

    def __enter__(self) -> "RunningSockets":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def ages(self) -> list[float]:
        """The age in seconds, on arrival, of each event received so far."""
        self._send(b"?")
        return msgspec.json.decode(self._read_line(), type=list[float])

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def _read_line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ConnectionError("the process with the sockets has ended")
        return line


async def main() -> None:
    """Opens all sockets, then answers each line with the ages of the events received so far."""
    loop = asyncio.get_running_loop()
    plan = msgspec.json.decode(await loop.run_in_executor(None, sys.stdin.buffer.readline), type=SocketPlan)
    ages: list[float] = []
    for start in range(0, len(plan.tokens), _OPENED_TOGETHER):
        await asyncio.gather(
            *(_open(plan, token, ages) for token in plan.tokens[start : start + _OPENED_TOGETHER])
        )
    _reply(b"open")
    while await loop.run_in_executor(None, sys.stdin.buffer.readline):
        _reply(msgspec.json.encode(ages))


async def _open(plan: SocketPlan, token: str, ages: list[float]) -> None:
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: _Socket(token, ages), plan.host, plan.port)
    await asyncio.wait_for(socket.subscribed, 30)


def _reply(line: bytes) -> None:
    os.write(1, line + b"\n")


if __name__ == "__main__":
    asyncio.run(main())
