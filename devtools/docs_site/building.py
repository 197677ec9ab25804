"""Runs Sphinx over the repository; every warning, such as a link that leads nowhere, is an error."""

from pathlib import Path

from sphinx.cmd.build import main as sphinx_build

from devtools.stack.spawn import PROJECT

SITE = PROJECT / ".cache" / "site"


def build_site(target: Path) -> int:
    """Write the site to this folder; the exit code of Sphinx."""
    configuration = str(Path(__file__).parent)
    trees = str(target / ".doctrees")
    return sphinx_build(
        ["-q", "-W", "--keep-going", "-c", configuration, "-d", trees, str(PROJECT), str(target)]
    )
