"""The configuration of Sphinx: documents are read where they are, the index page gives the navigation."""

import html
import re
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from devtools.docs_site.mermaid import FOLDER as MERMAID_FOLDER

project = "Stockbridge"
author = "the Stockbridge project"
html_title = "Stockbridge"
html_theme = "furo"
html_show_copyright = False
html_show_sphinx = False
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "deploy/**/*.md"]
exclude_patterns = [".*", "**/.*", "**/node_modules", "tests", "docs/pictures/**.md"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
html_static_path = ["static", *([str(MERMAID_FOLDER)] if MERMAID_FOLDER.is_dir() else [])]
html_js_files = [*(["mermaid.min.js", "diagrams.js"] if MERMAID_FOLDER.is_dir() else [])]
html_css_files = ["site.css"]

_SECTION = re.compile(r"^## (?P<title>.+?)$(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[(?P<title>[^\]]+)\]\((?P<path>[^)#]+\.md)\)")
_TOCTREE = "\n```{{toctree}}\n:hidden:\n{option}\n\n{entries}\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_directive("mermaid", Mermaid)
    app.connect("source-read", add_navigation)


class Mermaid(SphinxDirective):
    """A diagram: its text, which mermaid.min.js draws where it is there."""

    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """The element that Mermaid looks for."""
        escaped = html.escape("\n".join(self.content), quote=False)
        return [nodes.raw("", f'<pre class="mermaid">\n{escaped}\n</pre>', format="html")]


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """To the index of all: a tree for each section. To that of a folder: its documents."""
    path = Path(app.srcdir) / f"{name}.md"
    if name == root_doc:
        source[0] += "".join(map(_tree_of, _SECTION.finditer(source[0])))
    elif path.name in {"index.md", "README.md"} and path.is_relative_to(Path(app.srcdir, "docs")):
        source[0] += _TOCTREE.format(option=":glob:", entries="*")


def _tree_of(section: re.Match[str]) -> str:
    links = [each["path"] for each in _LINK.finditer(section["body"])]
    entries = "\n".join(
        "/" + str(Path("docs", each)).replace("docs/../", "") for each in dict.fromkeys(links)
    )
    return _TOCTREE.format(option=f":caption: {section['title']}", entries=entries) if links else ""
