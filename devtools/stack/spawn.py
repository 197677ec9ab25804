"""Child processes that end with this process, even when this process is killed."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path
from typing import IO

import psutil

from devtools.stack.errors import StackError

PROJECT = Path(__file__).resolve().parents[2]
_NOBODY = "nobody"
_PRIVATE_UMASK = 0o077
_NO_CAPABILITIES = ("--inh-caps=-all", "--ambient-caps=-all")


class Rights(Enum):
    """What a child process may do; with none of them can it gain more by starting a program."""

    CALLER = "what this process may do"
    NO_CAPABILITIES = "what its user may do: a child of root opens only the files that root owns"
    NEVER_ROOT = "the same, and a child of root runs as the user nobody"


# The kernel sends the parent-death signal when the thread that started the child ends. So one thread, which
# lives as long as the interpreter, starts all children.
_launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launcher")


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    source: IO[bytes] | int = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
    folder: Path = PROJECT,
    rights: Rights = Rights.CALLER,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Starts a command in this folder, in a session that Ctrl-C on the terminal does not reach.

    `source` is its standard input. What it writes is for its user alone. When this process ends, also by
    kill -9, the kernel sends `death_signal` to the child.
    """
    wrapper = [*_setpriv(rights), "--pdeathsig", death_signal.name.removeprefix("SIG"), "--"]
    return _launcher.submit(
        subprocess.Popen,
        [*wrapper, *command],
        env=env,
        cwd=folder,
        stdin=source,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=_PRIVATE_UMASK,
    ).result()


def can_run(program: str | Path, rights: Rights) -> bool:
    """Whether a child with these rights can start the program."""
    check = [*_setpriv(rights), "--", "test", "-x", program]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0


def owner_of(rights: Rights) -> tuple[int, int]:
    """The user and group that a child with these rights has."""
    if rights is Rights.NEVER_ROOT and os.geteuid() == 0:
        nobody = pwd.getpwnam(_NOBODY)
        return nobody.pw_uid, nobody.pw_gid
    return os.geteuid(), os.getegid()


def signal_tree(pid: int, number: signal.Signals) -> None:
    """Signals a process and then all its descendants; a process that has ended already is no error."""
    try:
        parent = psutil.Process(pid)
        tree = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in tree:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _setpriv(rights: Rights) -> list[str]:
    """The command that gives up what the rights leave out, and then starts the command after it."""
    found = shutil.which("setpriv")
    if found is None:
        raise StackError("the command setpriv is missing: install your distribution's package util-linux")
    options = [found, "--no-new-privs"]
    if rights is not Rights.CALLER:
        options += _NO_CAPABILITIES
    if rights is not Rights.CALLER and os.geteuid() == 0:
        user, group = owner_of(rights)
        options += ["--bounding-set=-all", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    return options
