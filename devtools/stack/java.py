"""Java programs: their JAR files from Maven's repository, and options for those that run for a short time."""

from pathlib import Path

QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""Options for a program that starts fast, with little memory, and leaves no files in /tmp."""


class DownloadFailed(Exception):
    """The JAR files are not there and cannot be downloaded; the text says why."""


def class_path(endpoint: str, folder: Path) -> str:
    """The class path of a Maven endpoint, whose JAR files are downloaded into the folder if need be.

    Raises DownloadFailed.
    """
    import jgo  # noqa: PLC0415 (takes a third of a second, and is needed for a download only)

    try:
        environment = jgo.build(endpoint, cache_dir=folder)
    except Exception as error:  # jgo raises many kinds of network and parser errors
        raise DownloadFailed(str(error)) from error
    return ":".join(str(jar) for jar in sorted(environment.path.glob("*/*.jar")))
