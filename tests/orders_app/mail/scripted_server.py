"""A mail server that answers as a test says, for answers that good servers seldom give."""

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

USUAL = {"DATA": "354 go on", "QUIT": "221 bye", "EHLO": "250 scripted"}
HANG_UP = ""
AFTER_DATA = "250 ok, once DATA is here"
"""An answer that is given when the command DATA has come."""


class ScriptedServer(socketserver.ThreadingTCPServer):
    """`answers` are by command; "." is the end of a mail, "" ends the connection. `mails` is what it got."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers = USUAL | dict(answers)
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        self.hangs_up_within_mails = False
        super().__init__(("127.0.0.1", 0), _Conversation)


class _Conversation(socketserver.StreamRequestHandler):
    server: ScriptedServer

    def handle(self) -> None:
        self._held: list[str] = []
        self._answer(self.server.answers.get("", "220 hello"))
        while line := self.rfile.readline():
            command = line.decode(errors="replace").strip()
            self.server.commands.append(command)
            word = command.split(" ")[0].upper()
            if not self._answer(self.server.answers.get(word, "250 ok")):
                return
            if word == "DATA" and self.server.answers["DATA"].startswith("354") and not self._take_mail():
                return

    def _take_mail(self) -> bool:
        if self.server.hangs_up_within_mails:
            return False
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line)
        self.server.mails.append(b"".join(lines))
        return self._answer(self.server.answers.get(".", "250 ok"))

    def _answer(self, answer: str) -> bool:
        if answer == HANG_UP:
            return False
        if answer == AFTER_DATA:
            self._held.append(answer)
            return True
        self.wfile.write("".join(f"{each}\r\n" for each in (*self._held, answer)).encode())
        self._held.clear()
        return True


@contextmanager
def scripted_server(**answers: str) -> Iterator[ScriptedServer]:
    """Runs one; `end` is the answer at the end of a mail, `greeting` the first one."""
    named = {"end": ".", "greeting": ""}
    with ScriptedServer({named.get(name, name): text for name, text in answers.items()}) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()
