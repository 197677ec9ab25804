"""The agreements that a machine can check: style, types, import rules, generated documents."""

import ast
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "kafka_workers", "orders_app", "products_app", "web", "foundation", "devtools")
BIN = Path(sys.executable).parent


def run(*command: str) -> None:
    """Runs a check in the repository; a failure shows its output."""
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("ruff", "check", "."), id="ruff finds nothing"),
        pytest.param(("ruff", "format", "--check", "."), id="ruff would format nothing"),
        pytest.param(("lint-imports",), id="imports run one way"),
        pytest.param(
            ("python", "manage.py", "makemigrations", "--check", "--dry-run"), id="no migration is missing"
        ),
        pytest.param(
            ("python", "manage.py", "generate_docs", "--check"), id="generated documents are current"
        ),
    ],
)
@pytest.mark.timeout(300)
def test_the_tree_passes(command: tuple[str, ...]) -> None:
    run(*command)


@pytest.mark.timeout(600)
def test_mypy_strict_passes() -> None:
    run("mypy", *PACKAGES, "manage.py", "tests")


def functions() -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield from (
                    node
                    for node in ast.walk(ast.parse(path.read_text()))
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                )


def test_the_median_function_has_fewer_than_ten_lines() -> None:
    lengths = [(function.end_lineno or 0) - function.lineno + 1 for function in functions()]
    assert statistics.median(lengths) < 10


def test_every_folder_of_tests_mirrors_a_package() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("*.py")}
    others = {
        Path(),
        Path("backup"),
        Path("browser"),
        Path("deploy"),
        Path("flows"),
        Path("logs"),
        Path("observability"),
        Path("upgrade"),
    }
    strange = [str(folder) for folder in folders - others if not (ROOT / folder / "__init__.py").is_file()]
    assert strange == []


def test_the_glossary_has_each_word_once() -> None:
    lines = (ROOT / "docs" / "glossary.md").read_text().splitlines()
    cells = [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith("| ")]
    words = [word for cell in cells if cell != "word" for word in cell.split(", ")]
    assert len(words) > 50, "the search finds no words"
    assert sorted(words) == sorted(set(words))


def test_every_setting_of_the_environment_is_documented() -> None:
    documented = (ROOT / "docs" / "settings.md").read_text()
    source = "".join(path.read_text() for path in sorted((ROOT / "config" / "settings").glob("*.py")))
    names = {
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if ast.unparse(node.func) not in {"DATABASES['default'].get", "protocol.startswith"}
        if isinstance(node.args[0].value, str) and node.args[0].value.isupper()
    }
    assert names, "the search finds no setting at all"
    assert {name for name in names if f"`{name}`" not in documented} == set()
