from pathlib import Path


class StackError(Exception):
    """The stack cannot run; the message tells its user what to do."""


class ServerNotHealthy(StackError):
    """A server ended, or did not become healthy in time; the message has the end of its log."""

    def __init__(self, name: str, fact: str, log_path: Path, *, lines: int = 15) -> None:
        self.name = name
        self.log_path = log_path
        tail = log_path.read_text(errors="replace").splitlines()[-lines:] if log_path.exists() else []
        super().__init__(
            "\n".join([f"{name} {fact}; the end of {log_path}:", *(f"  {line}" for line in tail)])
        )
