"""Static files by names that change with their content, so that browsers keep them for good."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class FingerprintedStorage(CompressedManifestStaticFilesStorage):
    """Gives the names that `collectstatic` made; before that, and with DEBUG, those of the files themselves.

    Modules in JavaScript import each other by relative paths, which become the new names too.
    """

    support_js_module_import_aggregation = True
    # Pages of libraries may name files that they do not ship.
    manifest_strict = False

    def stored_name(self, name: str) -> str:
        """The name with a fingerprint, where there is one."""
        stored: str = super().stored_name(name) if self.hashed_files else name
        return stored
