"""Processes that end when we do, however we end."""

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

# A parent-death signal is sent when the thread that started the child ends, so one thread that lives as long
# as the interpreter starts them all.
_launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launcher")


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
    never_as_root: bool = False,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Starts a command in the project's folder, in a session that our terminal's Ctrl-C does not reach.

    When this process ends, by kill -9 too, the child is sent `death_signal`. With `never_as_root` root
    becomes `nobody` for it, still able to reach files below folders closed to others.
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


def own(path: Path) -> None:
    """Gives a file or folder to the user that `never_as_root` runs as."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


def signal_tree(pid: int, number: signal.Signals) -> None:
    """Signals a process and all its descendants, itself first; one that has ended already is no error."""
    try:
        leader = psutil.Process(pid)
        tree = [leader, *leader.children(recursive=True)]
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
        # Without it access(2), by which initdb looks for postgres, forgets the capability.
        "--securebits=+no_setuid_fixup",
    ]


def _setpriv() -> str:
    found = shutil.which("setpriv")
    if found is None:
        raise StackError("the command setpriv is missing: install your distribution's package util-linux")
    return found
