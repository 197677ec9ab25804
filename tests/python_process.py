"""Python processes beside the tests."""

import os
import subprocess
import sys


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with the settings of production and this environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class RunningPython:
    """A Python program that says in its first line where it listens; it can be killed and started again."""

    def launch(self, *arguments: str, **environment: str) -> str:
        """Starts Python with these arguments; returns the first line that it prints."""
        self._process = subprocess.Popen(
            [sys.executable, *arguments], env=os.environ | environment, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def kill(self) -> None:
        """Ends it by SIGKILL."""
        self._process.kill()
        self._await_end()

    def stop(self) -> int:
        """Ends it by SIGTERM; returns its exit code."""
        self._process.terminate()
        return self._await_end()

    def _await_end(self) -> int:
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.wait(timeout=10)
