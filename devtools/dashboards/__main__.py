"""`python -m devtools.dashboards`: write the dashboards to `deploy/grafana/dashboards/`."""

from devtools.dashboards.files import FOLDER, texts


def main() -> None:
    """Write the file of each dashboard, and remove those of dashboards that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = texts()
    for name, text in files.items():
        (FOLDER / name).write_text(text)
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()


if __name__ == "__main__":
    main()
