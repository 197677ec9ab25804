"""How the admin looks, and what its sidebar and its start page have: the settings of django-unfold."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy


def stylesheet(request: HttpRequest) -> str:
    """The address of the style of our own parts."""
    return static("config/admin.css")


def zone_script(request: HttpRequest) -> str:
    """The address of the script that tells the time zone of the browser."""
    return static("site/zone.js")


def icon(request: HttpRequest) -> str:
    """The address of the icon that the browser shows."""
    return static("site/mark.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Stockbridge",
    "SITE_HEADER": "Stockbridge",
    "SITE_SUBHEADER": gettext_lazy("Administration"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "warehouse",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "STYLES": [stylesheet],
    "SCRIPTS": [zone_script],
    "DASHBOARD_CALLBACK": "config.admin_start.start_page",
    "SIDEBAR": {"navigation": "config.admin_navigation.sidebar"},
    # The accent of the shop's pages in the steps of the theme: text is 600 on light and 500 on dark.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 205)",
            "100": "oklch(94% .025 205)",
            "200": "oklch(88% .045 205)",
            "300": "oklch(80% .07 205)",
            "400": "oklch(72% .085 205)",
            "500": "oklch(65% .09 205)",
            "600": "oklch(46% .08 205)",
            "700": "oklch(41% .07 205)",
            "800": "oklch(36% .06 205)",
            "900": "oklch(31% .05 205)",
            "950": "oklch(24% .04 205)",
        }
    },
}
