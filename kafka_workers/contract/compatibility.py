"""What makes a schema of messages incompatible with an earlier one.

Messages stay in topics for days, and other programs learn of a change late or never. So readers of today must
take the messages of then, and readers of then the messages of today. The rule that gives both: an object may
gain fields that are not required, and everything else that the schema says of values stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence

from kafka_workers.contract.schema_values import Schema, SchemaReader, allowed_values

_ANNOTATIONS = {"title", "description", "default", "examples", "deprecated", "$comment", "$id", "$schema"}
_STRUCTURE = {"type", "properties", "required", "enum", "const", "$defs"}
_INSIDE = {"items": "[]", "additionalProperties": "{}"}
"""Keywords with the schema of what a value contains, and how a path tells it."""


def incompatible_changes(before: Mapping[str, Schema], now: Mapping[str, Schema]) -> list[str]:
    """A sentence for each incompatible change between two sets of schemas, which are given by their names."""
    found: list[str] = []
    for name, old in sorted(before.items()):
        if name in now:
            found += [f"{name}: {change}" for change in _Comparison(old, now[name]).changes()]
        else:
            found.append(f"{name}: the schema was removed")
    return found


class _Comparison:
    """Compares one schema with its earlier form."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._whole = (old, new)
        self._old = SchemaReader(old)
        self._new = SchemaReader(new)
        self._compared: list[tuple[Schema, Schema]] = []

    def changes(self) -> list[str]:
        """A sentence for each incompatible change."""
        return list(self._of_values("", *self._whole))

    def _of_values(self, path: str, old: Schema | bool, new: Schema | bool) -> Iterator[str]:
        """The changes of a value at this path, such as `items[].price`; "" is the whole value."""
        pair = self._old.followed(old), self._new.followed(new)
        if any(pair[0] is one and pair[1] is other for one, other in self._compared):
            return  # the schema refers to itself
        self._compared.append(pair)
        try:
            yield from self._of_types(path, *pair)
        finally:
            self._compared.pop()

    def _of_types(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, now = self._old.rules_by_type(old), self._new.rules_by_type(new)
        if before.keys() != now.keys():
            yield f"{path or 'the value'}: type was {_listed(before)} and is {_listed(now)} now"
        for name in sorted(before.keys() & now.keys()):
            yield from self._of_rules(path, before[name], now[name])

    def _of_rules(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        yield from _of_allowed_values(path, old, new)
        for keyword in sorted((old.keys() | new.keys()) - _ANNOTATIONS - _STRUCTURE - _INSIDE.keys()):
            if old.get(keyword) != new.get(keyword):
                was, is_now = old.get(keyword, "not given"), new.get(keyword, "not given")
                yield f"{path or 'the value'}: {keyword} was {was} and is {is_now} now"
        for keyword, suffix in _INSIDE.items():
            if keyword in old or keyword in new:
                yield from self._of_values(f"{path}{suffix}", old.get(keyword, {}), new.get(keyword, {}))
        yield from self._of_fields(f"{path}." if path else "", old, new)

    def _of_fields(self, prefix: str, old: Schema, new: Schema) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
        renamed = self._renamed(before, now)
        for name, old_field in before.items():
            if name in renamed:
                yield f"{prefix}{name} was renamed to {prefix}{renamed[name]}"
            elif name not in now:
                yield f"{prefix}{name} was removed"
            else:
                if name in was_required ^ is_required:
                    yield f"{prefix}{name} is {'required now' if name in is_required else 'not required now'}"
                yield from self._of_values(f"{prefix}{name}", old_field, now[name])
        for name in sorted(is_required - before.keys() - set(renamed.values())):
            yield f"{prefix}{name} is new and required"

    def _renamed(self, before: Mapping[str, Schema], now: Mapping[str, Schema]) -> dict[str, str]:
        """Of the removed fields those that are like exactly one new field, which is like no other of them."""
        gone, new = before.keys() - now.keys(), now.keys() - before.keys()
        alike = {
            (old, other)
            for old in gone
            for other in new
            if not any(self._of_values("", before[old], now[other]))
        }
        olds, others = [old for old, _ in alike], [other for _, other in alike]
        return {old: other for old, other in alike if olds.count(old) == 1 == others.count(other)}


def _of_allowed_values(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, now = allowed_values(old), allowed_values(new)
    if before is None or now is None:
        if before != now:
            was, is_now = before or "any value", now or "any value"
            yield f"{path or 'the value'}: allowed was {was} and is {is_now} now"
        return
    if gone := [value for value in before if value not in now]:
        yield f"{path or 'the value'}: {_listed(gone)} is no longer allowed"
    if added := [value for value in now if value not in before]:
        yield f"{path or 'the value'}: {_listed(added)} is newly allowed"


def _listed(names: Sequence[object] | Mapping[str, object]) -> str:
    return " or ".join(map(str, names)) or "nothing"
