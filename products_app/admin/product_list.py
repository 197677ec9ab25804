"""The list of products in the admin: search, filters, order, pages, and the same as a table."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from products_app.admin.page import page_of, show
from products_app.documents.reading import Product
from products_app.selectors import Ordering, ProductCriteria, ProductsFound, find_categories, find_products
from products_app.services.catalogue_table.export import write_products
from web.csv_files import written_file

PRODUCTS_ON_A_PAGE = 50
COLUMNS: list[tuple[str, Any]] = [
    ("name", gettext_lazy("Product")),
    ("price", gettext_lazy("Price")),
    ("stock", gettext_lazy("In stock")),
]
"""The columns by which the list can be sorted."""
STOCK: dict[str, ProductCriteria] = {
    "in": {"in_stock": True},
    "out": {"in_stock": False},
    "low": {"low_stock": True},
}
SALE = {"yes": True, "no": False}
ORDERINGS = [sign + name for name in ("name", "price", "stock", "created_at") for sign in ("", "-")]


class FilterForm(forms.Form):
    """The filters of the list; an empty field matches all."""

    q = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("Search"),
        widget=UnfoldAdminTextInputWidget(
            attrs={"type": "search", "placeholder": gettext_lazy("Name, brand, SKU, tag …")}
        ),
    )
    stock = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Stock"),
        choices=[
            ("", gettext_lazy("Any")),
            ("low", gettext_lazy("Low")),
            ("out", gettext_lazy("Sold out")),
            ("in", gettext_lazy("In stock")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    sale = forms.ChoiceField(
        required=False,
        label=gettext_lazy("For sale"),
        choices=[("", gettext_lazy("Any")), ("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))],
        widget=UnfoldAdminSelectWidget,
    )
    category = forms.ChoiceField(
        required=False, label=gettext_lazy("Category"), widget=UnfoldAdminSelectWidget
    )
    o = forms.ChoiceField(required=False, choices=[(each, each) for each in ["", *ORDERINGS]])

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="")
        choices = [("", _("All")), *((each, each) for each in find_categories())]
        cast("forms.ChoiceField", self.fields["category"]).choices = choices

    @property
    def criteria(self) -> ProductCriteria:
        """The filters of the search; a field with an error counts as empty."""
        self.full_clean()
        given = self.cleaned_data
        criteria: ProductCriteria = {**STOCK.get(given.get("stock", ""), {})}
        if text := given.get("q"):
            criteria["search"] = text
        if (is_active := SALE.get(given.get("sale", ""))) is not None:
            criteria["is_active"] = is_active
        if category := given.get("category"):
            criteria["category"] = category
        if ordering := given.get("o") or ("" if text else "name"):
            criteria["ordering"] = cast("Ordering", ordering)
        return criteria


def show_list(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """One page of the products that the filters find. Raises CatalogueUnavailable."""
    form = FilterForm(request.GET)
    context = {
        "title": _("Products and stock"),
        "form": form,
        "page": page_of(_found(form), request, PRODUCTS_ON_A_PAGE),
        "is_filtered": bool({*request.GET} & {"q", "stock", "sale", "category"}),
        "headings": _headings(form.cleaned_data.get("o") or "name", request),
    }
    return show(admin, request, "list.html", context)


def export_list(request: HttpRequest) -> FileResponse:
    """The products that the filters find, as the table that the import reads. Raises CatalogueUnavailable."""
    found: Iterable[Product] = _found(FilterForm(request.GET))
    return written_file("products.csv", lambda out: write_products(out, found))


def _found(form: FilterForm) -> ProductsFound:
    return find_products(include_inactive=True, **form.criteria)


def _headings(ordering: str, request: HttpRequest) -> list[dict[str, Any]]:
    """The columns with the address that sorts by each, the other way round where it is sorted by it."""
    headings = []
    for name, label in COLUMNS:
        query = request.GET.copy()
        query.pop("p", None)
        query["o"] = f"-{name}" if ordering == name else name
        direction = {name: "ascending", f"-{name}": "descending"}.get(ordering, "")
        headings.append({"label": label, "query": query.urlencode(), "direction": direction, "name": name})
    return headings
