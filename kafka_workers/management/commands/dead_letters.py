"""`manage.py dead_letters`."""

import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec
from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from foundation.operator_command import (
    Column,
    OperatorCommand,
    number_argument,
    operator_name,
    time_argument,
    write_table,
)
from foundation.printable import printable, printable_json
from kafka_workers.runtime.dead_letters.letters import (
    CannotBeRedriven,
    DeadLetter,
    DeadLetterFilter,
    find_dead_letters,
)
from kafka_workers.runtime.dead_letters.resolver import DeadLetterResolver, ResolutionRejected, ResolverFenced
from kafka_workers.workers import GROUPS

TRANSACTION_SIZE = 100
"""Dead letters in one transaction: enough to be fast, few enough for a progress bar that moves."""

Resolve = Callable[[DeadLetterResolver, Sequence[DeadLetter]], int]


_COLUMNS = (
    Column("coordinates"),
    Column("at"),
    Column("error", stretches=True),
    Column("key", on_terminal=False),
    Column("from", on_terminal=False),
    Column("resolution", on_terminal=False),
)


class Command(OperatorCommand):
    """Lists, shows, redrives and discards dead letters."""

    help = (
        "Dead letters are messages that a consumer group has given up. List and show them, redrive them to "
        "the topic they came from once the cause is fixed, or discard them with a reason. Each is resolved "
        "once, even when several commands try at the same time. A record that its group did not write is "
        "listed as unreadable and can only be discarded. Elsewhere than on a terminal, `list` prints whole "
        "lines, with more columns and tabs between them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(required=True, metavar="list|show|redrive|discard")
        self._add_list(actions.add_parser("list", help="show the unresolved ones"))
        showing = actions.add_parser("show", help="show one with its headers, value and error")
        showing.set_defaults(act=self._show)
        showing.add_argument("coordinates", help="topic/partition/offset, as `list` shows it")
        redriving = actions.add_parser("redrive", help="send them back to where they came from")
        redriving.set_defaults(act=self._redrive)
        _add_filters(redriving, "--reason")
        _add_resolving(redriving)
        self._add_discard(actions.add_parser("discard", help="record that they need no handling, and why"))

    def handle(self, *_: object, act: Callable[..., None], **options: Any) -> None:
        try:
            act(**options)
        except (ResolverFenced, ResolutionRejected, CannotBeRedriven) as error:
            raise CommandError(str(error)) from error

    def _add_list(self, parser: ArgumentParser) -> None:
        parser.set_defaults(act=self._list)
        _add_filters(parser, "--reason")
        parser.add_argument("--all", action="store_true", help="resolved ones too, with their resolutions")
        parser.add_argument("--json", action="store_true", help="one JSON array instead of a table")

    def _add_discard(self, parser: ArgumentParser) -> None:
        parser.set_defaults(act=self._discard)
        _add_filters(parser, "--failed-with")
        _add_resolving(parser)
        parser.add_argument("--reason", dest="why", required=True, help="why they need no handling")

    def _list(self, *, all: bool, json: bool, **options: Any) -> None:  # noqa: A002 - the option's name
        letters = find_dead_letters(_filter_of(options), GROUPS, include_resolved=all)
        if json:
            self._print_json([_summary(letter) for letter in letters])
        else:
            self._print(letters)

    def _show(self, *, coordinates: str, **_: object) -> None:
        letters = find_dead_letters(DeadLetterFilter(coordinates=coordinates), GROUPS, include_resolved=True)
        if not letters:
            raise CommandError(f"there is no dead letter {coordinates}")
        self._print_json(_details(letters[0]))

    def _print_json(self, value: object) -> None:
        self.stdout.write(printable_json(msgspec.json.format(msgspec.json.encode(value)).decode()))

    def _redrive(self, **options: Any) -> None:
        self._resolve("redriven", DeadLetterResolver.redrive, self._redrivable(_find(options)), **options)

    def _discard(self, *, why: str, **options: Any) -> None:
        def discard(resolver: DeadLetterResolver, letters: Sequence[DeadLetter]) -> int:
            return resolver.discard(letters, why)

        self._resolve("discarded", discard, _find(options), **options)

    def _redrivable(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Those that can be redriven; says of the others why not. Raises CannotBeRedriven if none can."""
        unreadable = [
            CannotBeRedriven(each.coordinates, each.unreadable) for each in letters if each.unreadable
        ]
        if len(unreadable) == len(letters):
            raise unreadable[0]
        for error in unreadable:
            self.stderr.write(printable(f"not redriven: {error}"))
        return [letter for letter in letters if not letter.unreadable]

    def _resolve(
        self,
        word: str,
        resolve: Resolve,
        letters: Sequence[DeadLetter],
        *,
        dry_run: bool,
        rate: int | None,
        **_: Any,
    ) -> None:
        if dry_run:
            self._print(letters)
            self.stdout.write(f"{len(letters)} would be {word}")
            return
        if not (resolved := _resolve_all(letters, resolve, rate)):
            raise CommandError(f"nothing was {word}: another command has resolved them meanwhile")
        self.stdout.write(f"{resolved} {word}")

    def _print(self, letters: Sequence[DeadLetter]) -> None:
        rows = map(_summary, letters)
        cells = [
            [row["place"], row["at"], letter.error, row["key"], row["from"], row["settled"]]
            for row, letter in zip(rows, letters, strict=True)
        ]
        write_table(self.stdout, _COLUMNS, cells)


def _add_filters(parser: ArgumentParser, reason: str) -> None:
    parser.add_argument("--group", help="of this consumer group")
    parser.add_argument("--topic", help="that came from this topic")
    parser.add_argument(reason, dest="reason", help="whose error contains this text")
    parser.add_argument("--key", help="with this key (order id)")
    parser.add_argument("--since", type=time_argument, help="given up at or after this time (ISO 8601, UTC)")
    parser.add_argument("--until", type=time_argument, help="given up before this time (ISO 8601, UTC)")


def _add_resolving(parser: ArgumentParser) -> None:
    parser.add_argument(
        "coordinates", nargs="?", help="only this one: topic/partition/offset, as `list` shows it"
    )
    parser.add_argument("--dry-run", action="store_true", help="only show which")
    parser.add_argument("--rate", type=number_argument(1, "dead letters"), help="at most so many a second")


def _filter_of(options: dict[str, Any]) -> DeadLetterFilter:
    return DeadLetterFilter(
        **{name: options[name] for name in DeadLetterFilter.__struct_fields__ if options.get(name)}
    )


def _find(options: dict[str, Any]) -> list[DeadLetter]:
    """The unresolved dead letters that the options select. Raises CommandError if these are none."""
    wanted = _filter_of(options)
    if wanted == DeadLetterFilter():
        raise CommandError("say which ones: topic/partition/offset, or at least one filter")
    if letters := find_dead_letters(wanted, GROUPS):
        return letters
    resolved = wanted.coordinates and find_dead_letters(wanted, GROUPS, include_resolved=True)
    if resolved:
        raise CommandError(f"{wanted.coordinates} is {_resolution(resolved[0])} already")
    raise CommandError(
        f"there is no unresolved dead letter {wanted.coordinates}"
        if wanted.coordinates
        else "no unresolved dead letter matches"
    )


def _resolve_all(letters: Sequence[DeadLetter], resolve: Resolve, rate: int | None) -> int:
    """Resolve letters with a progress bar; how many were still unresolved."""
    resolved = 0
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("dead letters", total=len(letters))
        for group, own in groupby(letters, key=lambda letter: letter.group):
            with DeadLetterResolver(group, by=operator_name()) as resolver:
                for part in _paced(list(own), rate):
                    resolved += resolve(resolver, part)
                    progress.advance(task, len(part))
    return resolved


def _paced(letters: Sequence[DeadLetter], rate: int | None) -> Iterator[Sequence[DeadLetter]]:
    """The letters in slices, at most `rate` letters a second."""
    size = min(TRANSACTION_SIZE, rate or TRANSACTION_SIZE)
    for start in range(0, len(letters), size):
        began = time.monotonic()
        yield letters[start : start + size]
        if rate and start + size < len(letters):
            time.sleep(max(0.0, size / rate - (time.monotonic() - began)))


def _summary(letter: DeadLetter) -> dict[str, str]:
    failure = letter.failure
    return {
        "place": letter.coordinates,
        "group": letter.group,
        "at": letter.at.isoformat(timespec="seconds") if letter.at else "",
        "key": letter.key_text,
        "from": f"{failure.topic}/{failure.partition}/{failure.offset}" if failure else "",
        "kind": failure.kind if failure else "unreadable",
        "attempts": str(failure.attempts) if failure else "",
        "exception": failure.exception if failure else "",
        "reason": failure.reason if failure else letter.unreadable,
        "settled": _resolution(letter),
    }


def _resolution(letter: DeadLetter) -> str:
    made = letter.resolution
    return f"{made.result} by {made.by} {made.reason}".strip() if made else ""


def _details(letter: DeadLetter) -> dict[str, object]:
    headers = {name: (value or b"").decode(errors="replace") for name, value in letter.headers.items()}
    return {
        "place": letter.coordinates,
        "at": letter.at,
        "key": letter.key_text,
        "failure": letter.failure,
        "unreadable": letter.unreadable or None,
        "settlement": letter.resolution,
        "headers": headers,
        "value": None if letter.value is None else letter.value.decode(errors="replace"),
    }
