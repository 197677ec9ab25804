"""`manage.py catalogue`."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from products_app.services.catalogue import create_product
from tests.products_app.product_stock import planted


def test_a_table_goes_out_and_in_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create_product(name="Éclair", price=Decimal(1), sku="E-1")
    file = tmp_path / "products.csv"
    call_command("catalogue", "export", str(file))
    call_command("catalogue", "import", str(file))
    printed = capsys.readouterr()
    assert printed.err == "1 products exported.\n"
    assert printed.out == "1 rows: 0 created, 0 changed, 1 unchanged, 0 with faults.\n"
    file.write_text(file.read_text(encoding="utf-8").replace("Éclair", "Tart"), encoding="utf-8")
    call_command("catalogue", "import", str(file), "--dry-run")
    call_command("catalogue", "import", str(file))
    assert capsys.readouterr().out.splitlines() == [
        "1 rows: 0 would be created, 1 would be changed, 0 unchanged, 0 with faults.",
        "1 rows: 0 created, 1 changed, 0 unchanged, 0 with faults.",
    ]


def test_faults_end_it_with_1_and_what_cannot_be_read_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "products.csv"
    file.write_bytes(b"sku,name,price\nL-1,Lantern,free\nL-2,\xff,1\nL-3,Lamp,1\n")
    with pytest.raises(CommandError, match="2 rows have faults") as failed:
        call_command("catalogue", "import", str(file))
    assert failed.value.returncode == 1
    assert capsys.readouterr().out.splitlines() == [
        "line 2, price: A valid number is required. (invalid)",
        "line 3, name: This is not UTF-8: save the file as CSV in UTF-8. (not_utf8)",
        "3 rows: 1 created, 0 changed, 0 unchanged, 2 with faults.",
    ]
    file.write_text("name\n")
    for path in (file, tmp_path / "none.csv"):
        with pytest.raises(CommandError, match=path.name) as failed:
            call_command("catalogue", "import", str(path))
        assert failed.value.returncode == 2
    planted(price="twelve")
    with pytest.raises(CommandError, match="1 products cannot be read") as failed:
        call_command("catalogue", "export", str(file))
    assert failed.value.returncode == 1
