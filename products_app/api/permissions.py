"""Who may use the products' routes."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class IsStaffOrReads(BasePermission):
    """Everybody reads, staff write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether it is staff, or only reading."""
        return request.method in SAFE_METHODS or request.user.is_staff
