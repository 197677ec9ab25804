"""A stack of one real server and one worker that does nothing, in the directory of the first argument."""

import os
import signal
import sys
from pathlib import Path

from devstack.ports import Ports
from devstack.postgres import PostgresServer
from devstack.processes import Process
from devstack.settings import make_settings
from devstack.stack import Stack

directory, ports = Path(sys.argv[1]), Ports.free()
stack = Stack(
    make_settings(directory, ports=ports, servers={}, caller=os.environ),
    servers=[PostgresServer(directory / "postgres", ports.postgres)],
    processes=[Process("worker", ("sleep", "1000"))],
)
stack.start_servers()
stack.start_processes()
sys.stdout.write("running\n")
sys.stdout.flush()
signal.pause()
