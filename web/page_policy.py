"""What our pages may load and run: Content-Security-Policy, by django-csp.

The strict policy of the settings is for every page; a script of a page's own needs `request.csp_nonce`. The
pages of two libraries need more, and get it on their paths alone. What is no page gets no policy.
"""

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

LIBRARY_PAGES: dict[str, dict[str, list[str]]] = {
    # unfold's Alpine.js evaluates the expressions in the markup, and both write styles into it.
    "/admin/": {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]},
    # Swagger UI and the browsable API write styles into their markup.
    "/api/": {"style-src": [UNSAFE_INLINE]},
}


class PagePolicy(CSPMiddleware):
    """Puts the policy on pages."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response, with its policy where a browser would show it."""
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """The policy of the settings, with what the libraries of this path need."""
        parts = super().get_policy_parts(request, response, report_only)
        for prefix, needed in LIBRARY_PAGES.items():
            if request.path_info.startswith(prefix):
                parts.update = needed
        return parts
