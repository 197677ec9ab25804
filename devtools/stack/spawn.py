"""Child processes that end with this process, even when this process is killed."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import psutil

from devtools.stack.errors import StackError

PROJECT = Path(__file__).resolve().parents[2]

# The kernel sends the parent-death signal when the thread that started the child ends. So one thread, which
# lives as long as the interpreter, starts all children.
_launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launcher")


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
    never_as_root: bool = False,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Starts a command in the project's folder, in a session that Ctrl-C on the terminal does not reach.

    When this process ends, also by kill -9, the kernel sends `death_signal` to the child. With
    `never_as_root` a child of root runs as the user `nobody`, with the capability to read files below closed
    folders.
    """
    privileges = _privileges_of_nobody() if never_as_root and os.geteuid() == 0 else []
    wrapper = [_setpriv(), *privileges, "--pdeathsig", death_signal.name.removeprefix("SIG"), "--"]
    return _launcher.submit(
        subprocess.Popen,
        [*wrapper, *command],
        env=env,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ).result()


def give_to_nobody(path: Path) -> None:
    """Gives a file or folder to the user that `never_as_root` runs as."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


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


def _privileges_of_nobody() -> list[str]:
    nobody = pwd.getpwnam("nobody")
    return [
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        # initdb looks for postgres with access(2), which ignores the capability without this bit.
        "--securebits=+no_setuid_fixup",
    ]


def _setpriv() -> str:
    found = shutil.which("setpriv")
    if found is None:
        raise StackError("the command setpriv is missing: install your distribution's package util-linux")
    return found
