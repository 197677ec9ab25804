"""Backups of MongoDB: whole or refused, of one moment, and restored into an empty database."""

import gzip
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from mongoengine import get_db
from pymongo.errors import OperationFailure

from products_app.documents.ledger import ledger_collection
from products_app.documents.product import product_collection
from products_app.services.backup import restoring, saving
from products_app.services.backup.manifest import COLLECTIONS, MANIFEST
from products_app.services.stock.audit import read_stock
from products_app.services.stock.service import Release, settle
from tests.concurrency import insert_rival, run_together
from tests.products_app.product_stock import assert_conserved, new_order, planted, reserve, stock_of, stocked


def no_progress(_: int) -> None:
    """Progress that is not shown."""


def contents() -> dict[str, list[Any]]:
    return {name: list(get_db()[name].find().sort("_id")) for name in COLLECTIONS}


def lose_everything() -> None:
    for name in COLLECTIONS:
        get_db().drop_collection(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A backup of a shop with some orders, and a product that another program has written."""
    lamp = stocked(10)
    planted(price="twelve")
    orders = [new_order() for _ in range(3)]
    settle([reserve(order, (lamp, 2)) for order in orders] + [Release(orders[0])])
    folder = tmp_path / "backup"
    call_command("backup_mongodb", str(folder))
    return folder


def test_what_is_restored_is_what_was_saved(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, indexes = contents(), product_collection().index_information()
    lose_everything()
    call_command("restore_mongodb", str(folder))
    assert contents() == before
    assert product_collection().index_information() == indexes
    assert_conserved()
    told = capsys.readouterr().out
    assert told.startswith(f"{sum(map(len, before.values()))} documents of 20")
    assert "manage.py resend_events --since 20" in told


def test_only_its_owner_can_read_it(folder: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o700, {0o600})


def test_a_backup_under_load_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lamp = stocked(1_000)

    def sell() -> None:
        settle([reserve(new_order(), (lamp, 1)) for _ in range(20)])

    # After the products, and before the ledger is read.
    insert_rival(monkeypatch, saving, "digest_of", sell)
    saving.save(tmp_path / "backup", no_progress)
    assert stock_of(lamp) == 980
    lose_everything()
    restoring.restore(tmp_path / "backup", no_progress)
    assert_conserved()
    assert (stock_of(lamp), ledger_collection().count_documents({})) == (1_000, 0)
    assert read_stock(no_progress).inconsistent == []


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def replace(path: Path) -> None:
    path.write_bytes(gzip.compress(b""))


@pytest.mark.parametrize(
    ("name", "harm", "reason"),
    [
        ("products.bson.gz", cut, "is not as it was written"),
        ("stock_ledger.bson.gz", replace, "is not as it was written"),
        ("stock_movements.bson.gz", Path.unlink, "is missing"),
        (MANIFEST, Path.unlink, "no backup, or one that was not finished"),
        (MANIFEST, cut, "cannot be read"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_written(
    folder: Path, name: str, harm: Callable[[Path], None], reason: str
) -> None:
    lose_everything()
    harm(folder / name)
    with pytest.raises(CommandError, match=reason):
        call_command("restore_mongodb", str(folder))
    assert not any(contents().values())


def test_a_backup_without_a_collection_of_ours_is_refused(folder: Path) -> None:
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes())
    manifest["collections"].pop(1)
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(CommandError, match="lacks the collections stock_ledger"):
        call_command("restore_mongodb", str(folder))


def test_a_database_with_documents_is_not_mixed_with_a_backup(folder: Path) -> None:
    before = contents()
    with pytest.raises(CommandError, match="has documents already, in products, stock_ledger"):
        call_command("restore_mongodb", str(folder))
    assert contents() == before


def test_a_killed_restore_is_begun_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents()
    lose_everything()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restoring, "_require_all", killed)
    with pytest.raises(KeyboardInterrupt):
        restoring.restore(folder, no_progress)
    monkeypatch.undo()
    assert contents() != before
    with pytest.raises(CommandError, match="was not finished"):
        call_command("create_collections")
    restoring.restore(folder, no_progress)
    assert contents() == before
    assert restoring.UNFINISHED not in get_db().list_collection_names()


def test_a_killed_backup_is_none_and_does_not_stand_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(1)
    folder = tmp_path / "backup"

    def killed(_: Path) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "digest_of", killed)
    with pytest.raises(KeyboardInterrupt):
        saving.save(folder, no_progress)
    monkeypatch.undo()
    assert [each.name for each in tmp_path.iterdir()] == ["backup.unfinished"]
    with pytest.raises(CommandError, match="was not finished"):
        call_command("restore_mongodb", str(tmp_path / "backup.unfinished"))
    saving.save(folder, no_progress)
    assert [each.name for each in tmp_path.iterdir()] == ["backup"]


def test_two_backups_at_once_are_both_whole(tmp_path: Path) -> None:
    stocked(5)
    folders = [tmp_path / name for name in ("one", "two")]
    run_together(*(partial(saving.save, each, no_progress) for each in folders))
    assert all((each / MANIFEST).exists() for each in folders)


def test_a_folder_that_is_there_is_left_alone(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup_mongodb", str(folder))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_backup_that_takes_longer_than_a_snapshot_is_kept_names_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_old(_: Path) -> str:
        raise OperationFailure("Read timestamp is older than the oldest available timestamp", 239)

    monkeypatch.setattr(saving, "digest_of", too_old)
    with pytest.raises(CommandError, match="minSnapshotHistoryWindowInSeconds"):
        call_command("backup_mongodb", str(tmp_path / "backup"))
