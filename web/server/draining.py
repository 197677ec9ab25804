"""The end of a server without the loss of a request that comes just then.

A connection that the kernel has accepted and the server has not is cut off when the listening socket is
closed, and a proxy cannot know whether its request was handled. So new connections are shut out first: the
kernel drops their first packet. A client that tries again a second later finds no server there, and knows
that nothing was sent; behind a proxy, another server takes its request.
"""

import ctypes
import select
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import monotonic

DRAIN_SECONDS = 0.2
"""How long connections that the kernel has accepted have, at least, until the server accepts them."""
MOST_DRAIN_SECONDS = 5
"""How long they have at most, on a machine with too much to do."""
STEP_SECONDS = 0.01

# Linux, asm-generic/socket.h and linux/filter.h: instructions (code, jump if true, jump if false, value).
_SO_ATTACH_FILTER = 26
_LOAD_BYTE, _JUMP_IF_SET, _RETURN = 0x30, 0x45, 0x06
_FLAGS_OF_TCP, _SYN = 13, 0x02
_DROP, _TAKE = 0, 0xFFFF_FFFF
_DROP_NEWCOMERS = (
    (_LOAD_BYTE, 0, 0, _FLAGS_OF_TCP),
    (_JUMP_IF_SET, 0, 1, _SYN),
    (_RETURN, 0, 0, _DROP),
    (_RETURN, 0, 0, _TAKE),
)


def drain(listeners: Sequence[socket.socket]) -> Iterator[float]:
    """Shut out newcomers, and give the server time until it has accepted all who were let in.

    Yields:
        The seconds for which the caller lets the server work before it asks for the next.
    """
    end = monotonic() + MOST_DRAIN_SECONDS
    shut_out_newcomers(listeners)
    yield DRAIN_SECONDS
    while select.select(listeners, [], [], 0)[0] and monotonic() < end:
        yield STEP_SECONDS


def shut_out_newcomers(listeners: Sequence[socket.socket]) -> None:
    """Let nobody else connect to these listening sockets, in whatever process; open connections stay.

    Where the kernel takes no filters, nothing changes.
    """
    instructions = b"".join(struct.pack("HBBI", *each) for each in _DROP_NEWCOMERS)
    memory = ctypes.create_string_buffer(instructions, len(instructions))
    program = struct.pack("HL", len(_DROP_NEWCOMERS), ctypes.addressof(memory))
    for listener in listeners:
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
