"""The whole system, servers and processes, as ./start, the fault suite and the benchmarks run it."""

import http.client
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from devtools.stack.console import Console, close_log, open_log
from devtools.stack.errors import StackError
from devtools.stack.payment_sandbox import secrets_for
from devtools.stack.ports import Ports, in_url, reachable
from devtools.stack.prepare import TOPICS_FAILED, WAITING
from devtools.stack.private_files import FOLDER
from devtools.stack.processes import WEB, Process, all_processes
from devtools.stack.server import HOST, Server
from devtools.stack.server_keeper import ServerKeeper
from devtools.stack.servers import embedded_servers, run_together, settings_of, start_all
from devtools.stack.settings import Settings, make_settings
from devtools.stack.spawn import signal_tree, spawn
from devtools.stack.state import PartState, StateFile
from devtools.stack.supervised import SupervisedProcess
from devtools.stack.warmth import warm_processes
from devtools.stack.watch import Watch

_READY_SECONDS = 60.0
_WARM_SECONDS = 20.0
_POLL_SECONDS = 0.05
_TOPICS_SECONDS = 5.0


class Stack:
    """Servers, and supervised processes on them; the name of a part is the one in the log."""

    def __init__(
        self,
        settings: Settings,
        *,
        servers: Sequence[Server],
        processes: Sequence[Process],
        console: Console | None = None,
    ) -> None:
        self.settings = settings
        self.servers = {server.name: server for server in servers}
        self.processes: dict[str, SupervisedProcess] = {}
        self._initial = processes
        self._console = console
        self._log = open_log(settings.logs / "stack.log", console)
        self._keepers = [
            ServerKeeper(server, open_log(settings.logs / f"{server.name}.log", console))
            for server in servers
        ]
        self._state = StateFile(settings.directory)
        self._watch = Watch(self._look, self._write_state, self._log)
        self._waits_for: list[str] = []
        self._ready = False
        self._stopping = threading.Event()
        self._preparation: subprocess.Popen[bytes] | None = None
        self._topics = threading.Thread(target=self._create_topics_later, name="topics", daemon=True)

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process."""
        return {**os.environ, **self.settings.values, "TMPDIR": str(self.settings.temporary)}

    @property
    def urls(self) -> dict[str, str]:
        """The URLs of "web" and "sockets"."""
        host, ports = in_url(self.settings.host), self.settings.ports
        return {
            "web": f"http://{host}:{ports.web}",
            "sockets": f"ws://{host}:{ports.sockets}/ws/orders/",
        }

    def start(self, *, demo: bool = False) -> None:
        """Starts everything and returns when the system answers; `demo` loads the demo catalogue and users.

        Waits for a database of the caller's own that is away, but not for a broker: the topics are then
        created when it is there.

        Raises StackError with the reason when the start fails; the caller ends the started parts with stop().
        """
        self.start_servers()
        self.prepare(demo=demo)
        self.start_processes()
        self.wait_until_ready()

    def start_servers(self) -> None:
        """Creates the directory, checks the ports, and starts the servers at the same time.

        From then on a server that ends by itself is started again.
        """
        self._make_directory()
        self._write_state()
        self._watch.start()
        own = dict.fromkeys(("web", "sockets"), self.settings.host)
        listened = [name for server in self.servers.values() for name in server.listens]
        self.settings.ports.require_free(own | dict.fromkeys(listened, HOST))
        if self.servers:
            self._log.info("starting %s", ", ".join(self.servers))
            start_all(self.servers.values())
        for keeper in self._keepers:
            keeper.start()

    def prepare(self, *, demo: bool) -> None:
        """Migrates the databases and creates the topics. Raises StackError with the reason of a failure."""
        self._log.info("preparing databases and topics")
        code, sentence = self._run_preparation(*(["--demo"] if demo else []))
        self._waits_for.clear()
        if code == TOPICS_FAILED and "kafka" not in self.servers:
            self._log.warning("orders are taken, and settled when Kafka is back: %s", sentence)
            self._waits_for.append(f"Kafka (KAFKA_BROKERS), to create the topics: {sentence}")
            self._topics.start()
        elif code != 0:
            raise StackError(sentence)

    def start_processes(self) -> None:
        """Launches the processes, the web server when the others are warm.

        So a program that waits until the web server answers finds all of them warm.
        """
        self._log.info("starting %s", ", ".join(process.name for process in self._initial))
        web = [process for process in self._initial if process.name == WEB]
        others = [process for process in self._initial if process.name != WEB]
        for process in others:
            self.add(process)
        if web:
            self._wait_until_warm(others)
        for process in web:
            self.add(process)

    def wait_until_ready(self) -> None:
        """Returns when web and sockets answer. Raises StackError when they do not within a minute."""
        self._wait_until(self._web_answers, "web")
        self._wait_until(self._sockets_answer, "sockets")
        self._wait_until_warm(self._initial)
        self._ready = True
        self._write_state()

    def stop(self) -> None:
        """Ends the processes, which finish their current work, and then the servers; the data stays."""
        self._stopping.set()
        self._watch.stop()
        run_together(process.stop for process in self.processes.values())
        run_together(keeper.stop for keeper in self._keepers)
        if self._preparation is not None:
            signal_tree(self._preparation.pid, signal.SIGKILL)
        self._state.remove()
        close_log(self._log)

    def add(self, process: Process, extra_env: Mapping[str, str] | None = None) -> None:
        """Starts one more process and keeps it running; `extra_env` is for its first launch only."""
        env = self.env | process.own
        supervised = SupervisedProcess(process, env=env, logs=self.settings.logs, console=self._console)
        self.processes[process.name] = supervised
        supervised.start(extra_env)

    def remove(self, name: str) -> None:
        """Ends a process cleanly and for good."""
        self.processes.pop(name).stop()

    def restart(self, name: str, extra_env: Mapping[str, str] | None = None) -> None:
        """Ends a process cleanly and launches it anew; `extra_env` is for this launch only."""
        self.processes[name].stop()
        self.processes[name].start(extra_env)

    def kill(self, name: str) -> None:
        """SIGKILL for a part and its children; the supervisor starts a process again, but not a server."""
        self._part(name).kill()

    def kill_for_good(self, name: str) -> None:
        """SIGKILL for a process and its children; it stays down until start_again()."""
        self.processes[name].kill_for_good()

    def start_again(self, name: str) -> None:
        """Starts a process again that kill_for_good() has ended."""
        self.processes[name].start()

    def pause(self, name: str) -> None:
        """SIGSTOP for a part and its children."""
        self._part(name).pause()

    def resume(self, name: str) -> None:
        """SIGCONT for a part and its children."""
        self._part(name).resume()

    def pid(self, name: str) -> int | None:
        """The process id of a part while it runs, else None."""
        return self._part(name).pid

    def _run_preparation(self, *options: str) -> tuple[int, str]:
        """The exit code and the last line of the preparation; says what it waits for meanwhile."""
        command = [sys.executable, "-m", "devtools.stack.prepare", *options]
        self._preparation = preparation = spawn(command, output=subprocess.PIPE, env=self.env)
        assert preparation.stdout is not None
        lines = ["failed without a message"]
        try:
            with (
                io.TextIOWrapper(preparation.stdout, errors="replace") as output,
                (self.settings.logs / "prepare.log").open("w") as log,
            ):
                for line in output:
                    log.write(line)
                    lines += [line.strip()] if line.strip() else []
                    if line.startswith(WAITING):
                        self._tell_what_is_waited_for(line.strip())
            return preparation.wait(), lines[-1]
        finally:
            signal_tree(preparation.pid, signal.SIGKILL)
            preparation.wait()

    def _tell_what_is_waited_for(self, sentence: str) -> None:
        self._log.warning("%s", sentence)
        self._waits_for[:] = [sentence.removeprefix(WAITING)]

    def _create_topics_later(self) -> None:
        while not self._stopping.wait(_TOPICS_SECONDS):
            code, _ = self._run_preparation("--topics")
            if code == 0:
                self._waits_for.clear()
                self._log.info("Kafka is there: the topics are created")
                return

    def _look(self) -> list[PartState]:
        servers = [PartState(each.server.name, each.server.pid, each.restarts) for each in self._keepers]
        processes = [PartState(name, each.pid, each.restarts) for name, each in list(self.processes.items())]
        return [*servers, *processes]

    def _write_state(self) -> None:
        self._state.write(
            ready=self._ready, web=self.urls["web"], waits_for=self._waits_for, parts=self._look()
        )

    def _part(self, name: str) -> Server | SupervisedProcess:
        return self.servers.get(name) or self.processes[name]

    def _make_directory(self) -> None:
        self.settings.logs.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        for emptied in (self.settings.metrics, self.settings.temporary):
            shutil.rmtree(emptied, ignore_errors=True)
            emptied.mkdir(mode=FOLDER)
        self.settings.write()

    def _wait_until_warm(self, processes: Sequence[Process]) -> None:
        """Returns when these processes are warm, or after a while: without Kafka workers are not."""
        deadline = time.monotonic() + (_WARM_SECONDS if not self._waits_for else 0)
        while cold := [process.name for process in processes if not self._is_warm(process)]:
            if time.monotonic() > deadline:
                self._log.warning("not at work yet: %s", ", ".join(cold))
                return
            time.sleep(_POLL_SECONDS)

    def _is_warm(self, process: Process) -> bool:
        pid = self.processes[process.name].pid
        records = Path(process.own.get("PROMETHEUS_MULTIPROC_DIR", self.settings.metrics))
        return pid is not None and warm_processes(records, pid) >= process.heartbeats

    def _wait_until(self, answers: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not answers():
            if time.monotonic() > deadline:
                log_path = self.processes[name].log_path
                raise StackError(f"{name} did not answer in {_READY_SECONDS:.0f} s: see {log_path}")
            time.sleep(_POLL_SECONDS)

    def _web_answers(self) -> bool:
        connection = http.client.HTTPConnection(
            reachable(self.settings.host), self.settings.ports.web, timeout=5
        )
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except OSError:
            return False
        finally:
            connection.close()

    def _sockets_answer(self) -> bool:
        try:
            address = reachable(self.settings.host), self.settings.ports.sockets
            socket.create_connection(address, timeout=5).close()
        except OSError:
            return False
        return True


def embedded_stack(
    directory: Path,
    *,
    ports: Ports,
    caller: Mapping[str, str],
    counts: Mapping[str, int] | None = None,
    without: Collection[str] = (),
    console: Console | None = None,
    processes: Callable[[Settings, Mapping[str, int]], list[Process]] = all_processes,
) -> Stack:
    """The system, with embedded servers unless `caller` has settings of servers of their own.

    `counts` has the numbers of processes, by worker name, that differ from DEFAULT_COUNTS. `without` names
    servers that are left out with the workers that need them: PAYMENTS, MAIL. `processes` says which run.
    """
    servers = embedded_servers(directory, ports=ports, caller=caller, without=without)
    given = settings_of(servers.values()) | secrets_for(caller, directory / "payments")
    settings = make_settings(directory, ports=ports, servers=given, caller=caller)
    chosen = processes(settings, counts or {})
    return Stack(settings, servers=list(servers.values()), processes=chosen, console=console)
