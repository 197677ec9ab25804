import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, ClassVar, Protocol

from devtools.stack.errors import ServerNotHealthy
from devtools.stack.private_files import FILE, FOLDER
from devtools.stack.spawn import PROJECT, Rights, can_run, signal_tree, spawn

HOST = "127.0.0.1"
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05


class Server(Protocol):
    """An embedded server with its own data, as ./start and the tests use it."""

    name: str
    setting: ClassVar[str]
    """The setting that holds its address."""
    directory: Path
    port: int
    log_path: Path

    @property
    def url(self) -> str:
        """The address that a client of the server needs."""

    @property
    def listens(self) -> tuple[str, ...]:
        """The names of its ports, as `Ports` has them."""

    @property
    def replaced_by(self) -> tuple[str, ...]:
        """The settings of which each says that the caller has a server of their own."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings by which the system reaches it."""

    @property
    def page(self) -> str:
        """What its user can look at over HTTP; empty if there is nothing."""

    @property
    def pid(self) -> int | None:
        """The id of the process while it runs, else None."""

    @property
    def exit_code(self) -> int:
        """The exit code of the process that ran last; -9 after SIGKILL."""

    @property
    def is_wanted(self) -> bool:
        """Whether the server should run: it was launched, and neither stop() nor kill() has ended it."""

    def install(self) -> None:
        """Downloads the server's software if it is missing; may take a minute, and prints that."""

    def start(self) -> None:
        """Creates the data if there is none, launches the server, and returns when it is healthy.

        May block for a minute. Does nothing while the server runs.

        Raises ServerNotHealthy.
        """

    def stop(self) -> None:
        """Ends the server cleanly, after 20 seconds with SIGKILL; its data stays. Allowed at any time."""

    def kill(self) -> None:
        """Ends the server with SIGKILL; start() starts it again on its data."""

    def pause(self) -> None:
        """Freezes the server with SIGSTOP: its connections stay open, and it answers nothing."""

    def resume(self) -> None:
        """Lets a paused server continue."""


class ServerProcess(ABC):
    """The common part of the embedded servers; a subclass knows how to prepare, launch and check one."""

    name: str
    setting: ClassVar[str]
    rights: ClassVar[Rights] = Rights.NO_CAPABILITIES
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    start_seconds = 60.0
    """How long it may take until it is healthy."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory.resolve()
        self.port = port
        self.log_path = self.directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._stopping = threading.Event()
        self._wanted = False

    @property
    def listens(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def replaced_by(self) -> tuple[str, ...]:
        return (self.setting,)

    @property
    def settings(self) -> Mapping[str, str]:
        return {self.setting: self.url}

    @property
    def page(self) -> str:
        return ""

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def exit_code(self) -> int:
        return (self._process.poll() if self._process is not None else None) or 0

    @property
    def is_wanted(self) -> bool:
        return self._wanted

    def install(self) -> None:  # noqa: B027 (most servers are part of a wheel, so there is nothing to install)
        pass

    def start(self) -> None:
        self._stopping.clear()
        with self._starting:
            if self.pid is not None:
                return
            self.directory.mkdir(mode=FOLDER, parents=True, exist_ok=True)
            self._prepare()
            self._launch()
            self._wait_until_healthy()

    def stop(self) -> None:
        self._stopping.set()
        self._wanted = False
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill_tree()

    def kill(self) -> None:
        self._wanted = False
        self._kill_tree()

    def _kill_tree(self) -> None:
        if self._process is not None:
            signal_tree(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    @abstractmethod
    def _prepare(self) -> None:
        """Creates the data directory if there is none, and repairs what a kill -9 has left behind."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]: ...

    @abstractmethod
    def _is_healthy(self) -> bool:
        """Whether the launched server works; called repeatedly until it does."""

    @property
    def _folder(self) -> Path:
        """The folder in which the server and its tools run."""
        return PROJECT

    @property
    def _env(self) -> Mapping[str, str] | None:
        """The environment of the server; None: that of this process."""
        return None

    def _run_tool(self, command: Sequence[str | Path], *, folder: Path | None = None, text: str = "") -> None:
        """Runs a tool of the server until it ends; `text` is its standard input."""
        with self._open_log() as log:
            tool = spawn(
                command,
                output=log,
                source=subprocess.PIPE,
                folder=folder or self._folder,
                rights=self._rights_to_run(command[0]),
            )
            tool.communicate(text.encode())
        if tool.returncode != 0:
            raise ServerNotHealthy(self.name, "could not prepare its data directory", self.log_path)

    def _launch(self) -> None:
        command = self._command()
        with self._open_log() as log:
            self._process = spawn(
                command,
                output=log,
                env=self._env,
                folder=self._folder,
                rights=self._rights_to_run(command[0]),
                death_signal=self.stop_signal,
            )
            self._wanted = True

    def _rights_to_run(self, program: str | Path) -> Rights:
        """Root without capabilities cannot start a program in a folder that another user has closed."""
        return self.rights if can_run(program, self.rights) else Rights.CALLER

    def _open_log(self) -> IO[bytes]:
        return os.fdopen(os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE), "ab")

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self._is_healthy():
            if self.pid is None:
                raise ServerNotHealthy(self.name, "ended while starting", self.log_path)
            if time.monotonic() > deadline:
                self._kill_tree()
                raise ServerNotHealthy(
                    self.name, f"was not ready in {self.start_seconds:.0f} s", self.log_path
                )
            self._stopping.wait(_POLL_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            signal_tree(self.pid, number)
