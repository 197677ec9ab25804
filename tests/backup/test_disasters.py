"""Stores that are destroyed under load come back by the steps of backup.md and disaster.md."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from devtools.stack.postgres import PostgresServer
from tests.backup.installation import Installation
from tests.backup.judging import assert_sound, await_quiet
from tests.backup.load import Load, load_on
from tests.backup.steps import step_with, steps_of

pytestmark = [pytest.mark.backup, pytest.mark.timeout(900)]

CUSTOMERS, PRODUCTS = 3, 4
ORDERS = 40
USE_UP = "DO $$ BEGIN FOR each IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"


@contextmanager
def orders_flowing(installation: Installation, at_first: int = ORDERS) -> Iterator[Load]:
    """Customers at work; returns control when they have placed so many orders."""
    with installation.shop() as shop, load_on(shop, products=PRODUCTS, customers=CUSTOMERS) as load:
        await_orders(load, at_first)
        yield load


def await_orders(load: Load, more: int = ORDERS) -> None:
    """Returns when so many more orders are placed."""
    wanted = len(load.known) + more
    eventually(lambda: len(load.known) >= wanted, "orders", 120)


def back_up(installation: Installation, name: str) -> Path:
    """A backup by the steps of backup.md."""
    folder = installation.backups / name
    folder.mkdir()
    step = step_with(steps_of("backup.md", "MongoDB first, then PostgreSQL"), "pg_basebackup")
    installation.run(step, BACKUP=folder)
    return folder


def since_of(printed: str) -> str:
    """The time that restore_mongodb names."""
    found = re.search(r"resend_events --since (\S+)", printed)
    assert found is not None, printed
    return found[1]


def at_time(step: str, since: str) -> str:
    """The step with this time in the place of the example."""
    replaced, times = re.subn(r"(?<=--since )\S+", since, step)
    assert times == 1, step
    return replaced


def an_hour_ago() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))


def test_after_everything_is_lost_no_money_is_astray(installation: Installation) -> None:
    # More before the backup than after it: otherwise the books might be those of another installation.
    with orders_flowing(installation, at_first=4 * ORDERS) as load:
        saved = set(load.known)
        backup = back_up(installation, "everything-lost")
        await_orders(load)
        installation.destroy("postgres", "mongodb")
    installation.prepare_servers()
    place, restore, empty_kafka, again, repair = steps_of("disaster.md", "Everything is lost")
    installation.run(place, BACKUP=backup)
    installation.stack.start_servers()
    since = since_of(installation.run(restore, BACKUP=backup))
    installation.run(empty_kafka)
    installation.run(at_time(again, since))
    installation.start_workers()
    await_quiet(installation)
    installation.run(repair)
    installation.start_web_and_sockets()
    found = {order for (order,) in installation.rows("SELECT id::text FROM orders_order")}
    assert saved <= found
    assert set(load.known) - found, "nothing was lost, so that nothing was tried"
    assert_sound(installation, [])


def test_without_postgresql_no_order_is_lost_that_was_answered(installation: Installation) -> None:
    steps = steps_of("backup.md", "MongoDB first, then PostgreSQL")
    installation.run(step_with(steps, "--create-slot"))
    receive, wait_for_it = step_with(steps, "--synchronous"), step_with(steps, "ALTER SYSTEM")
    with installation.running(receive), orders_flowing(installation) as load:
        installation.run(wait_for_it)
        backup = back_up(installation, "postgresql-lost")
        await_orders(load)
        installation.destroy("postgres")
    installation.prepare_servers()
    open_to_its_owner(installation.backups / "wal")
    [restore] = steps_of("disaster.md", "PostgreSQL is lost")
    installation.run(restore, BACKUP=backup)
    installation.stack.start_servers()
    installation.change("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    installation.start_processes()
    assert_sound(installation, load.known.values())


def test_without_kafka_nothing_is_lost(installation: Installation) -> None:
    with orders_flowing(installation) as load:
        await_orders(load)
        installation.destroy("kafka")
    installation.prepare_servers()
    installation.stack.start_servers()
    [again] = steps_of("disaster.md", "Kafka is lost")
    installation.run(at_time(again, an_hour_ago()))
    installation.start_processes()
    assert_sound(installation, load.known.values())


def test_without_mongodb_the_ledger_is_brought_up_to_the_orders(installation: Installation) -> None:
    with orders_flowing(installation) as load:
        backup = back_up(installation, "mongodb-lost")
        await_orders(load)
        installation.destroy("mongodb")
    installation.prepare_servers()
    installation.stack.start_servers()
    restore, again = steps_of("disaster.md", "MongoDB is lost")
    since = since_of(installation.run(restore, BACKUP=backup))
    installation.run(at_time(again, since))
    installation.start_processes()
    assert_sound(installation, load.known.values())


def test_a_dump_is_moved_to_a_server_that_counts_anew(installation: Installation, tmp_path: Path) -> None:
    [move] = steps_of("disaster.md", "From pg_dump")
    # As if this server had worked for longer than it has.
    installation.change(USE_UP)
    with installation.shop() as shop:
        shop.new_customer().place((shop.new_product(1), 1))
    directory = installation.backups / "new-postgres"
    new = PostgresServer(directory, free_ports(1)[0])
    new.start()
    try:
        printed = installation.run(move, DUMP=tmp_path / "dump", NEW_URL=new.url)
    finally:
        new.stop()
    assert re.search(r"[1-9]\d{3,} transactions used up", printed), printed


def open_to_its_owner(folder: Path) -> None:
    """What was received belongs to the user who ran the receiver."""
    owner = folder.stat()
    for path in folder.iterdir():
        shutil.chown(path, owner.st_uid, owner.st_gid)
