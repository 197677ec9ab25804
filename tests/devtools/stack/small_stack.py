"""A program that runs a stack of PostgreSQL and one idle worker, in the directory of the first argument."""

import os
import signal
import sys
from pathlib import Path

from devtools.stack.ports import Ports
from devtools.stack.postgres import PostgresServer
from devtools.stack.processes import Process
from devtools.stack.settings import make_settings
from devtools.stack.stack import Stack

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
