"""`python -m devtools.docs_site [FOLDER]`: build the site from the Markdown files as they are."""

import sys
from pathlib import Path

from devtools.docs_site.building import SITE, build_site
from devtools.docs_site.mermaid import NoMermaid, mermaid_script

if __name__ == "__main__":
    try:
        mermaid_script()
    except NoMermaid as reason:
        print(f"Diagrams stay text: {reason}.")
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SITE
    code = build_site(target)
    if code == 0:
        print(f"{target / 'docs' / 'index.html'}")
    sys.exit(code)
