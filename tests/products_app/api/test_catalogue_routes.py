import pytest
from bson import ObjectId
from rest_framework.test import APIClient

from products_app.documents.product import product_collection
from products_app.services.stock.service import settle
from tests.products_app.api.callers import PRODUCTS, Json, error_of, service, user
from tests.products_app.product_stock import new_order, reserve, stock_of, stocked

LANTERN: Json = {
    "name": "Lantern",
    "description": "Burns oil",
    "price": "19.90",
    "category": "Light",
    "stock": 7,
    "imageUrl": "https://images.example/lantern.png",
    "sku": "L-1",
    "brand": "Acme",
    "tags": ["oil", "brass"],
    "lowStockAt": 8,
    "isActive": True,
}


@pytest.fixture(params=["anonymous", "customer"])
def client(request: pytest.FixtureRequest) -> APIClient:
    """A client of each caller that is not staff; each test creates the token, since tokens expire."""
    return user(is_staff=False) if request.param == "customer" else APIClient()


@pytest.fixture
def staff() -> APIClient:
    return user(is_staff=True)


def product_url(product_id: str) -> str:
    return f"{PRODUCTS}{product_id}/"


def test_staff_create_a_product_that_every_caller_sees(staff: APIClient) -> None:
    created = staff.post(PRODUCTS, LANTERN)
    assert created.status_code == 201
    product = created.json()
    assert {name: product[name] for name in LANTERN} == LANTERN
    assert (product["inStock"], product["lowStock"]) == (True, True)
    assert len(product["id"]) == 24
    assert product["createdAt"] == product["updatedAt"]
    assert product["createdAt"].endswith("Z")
    assert APIClient().get(product_url(product["id"])).json() == product


def test_a_product_needs_only_name_and_price(staff: APIClient) -> None:
    product = staff.post(PRODUCTS, {"name": "Rope", "price": 3}).json()
    assert (product["price"], product["stock"], product["inStock"]) == ("3.00", 0, False)
    assert (product["tags"], product["sku"], product["isActive"]) == ([], "", True)
    assert (product["lowStockAt"], product["lowStock"]) == (0, False)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "blank"),
        ("name", None, "null"),
        ("name", "x" * 201, "max_length"),
        ("price", "-0.01", "min_value"),
        ("price", "1.001", "max_decimal_places"),
        ("price", "NaN", "invalid"),
        ("price", "much", "invalid"),
        ("stock", -1, "min_value"),
        ("stock", 1.5, "invalid"),
        ("stock", True, "invalid"),
        ("stock", 1_000_000_001, "max_value"),
        ("lowStockAt", -1, "min_value"),
        ("lowStockAt", 1_000_000_001, "max_value"),
        ("imageUrl", "javascript:alert(1)", "invalid"),
        ("imageUrl", "/a.png\nb", "invalid"),
        ("tags", "oil", "not_a_list"),
        ("isActive", "perhaps", "invalid"),
    ],
)
def test_a_wrong_field_is_refused_by_name(staff: APIClient, field: str, value: object, code: str) -> None:
    assert error_of(staff.post(PRODUCTS, LANTERN | {field: value})) == (400, code, field)
    assert product_collection().count_documents({}) == 0
    lamp = stocked(3)
    assert error_of(staff.patch(product_url(lamp), {field: value})) == (400, code, field)
    assert stock_of(lamp) == 3


@pytest.mark.parametrize("field", ["name", "price"])
def test_a_missing_field_is_refused(staff: APIClient, field: str) -> None:
    body = {name: value for name, value in LANTERN.items() if name != field}
    assert error_of(staff.post(PRODUCTS, body)) == (400, "required", field)
    lamp = stocked(3)
    assert error_of(staff.put(product_url(lamp), body)) == (400, "required", field)
    assert stock_of(lamp) == 3


def test_a_sku_that_is_taken_is_a_conflict(staff: APIClient) -> None:
    staff.post(PRODUCTS, LANTERN)
    assert error_of(staff.post(PRODUCTS, LANTERN)) == (409, "sku_taken", None)
    lamp = stocked(3)
    assert error_of(staff.patch(product_url(lamp), {"sku": "L-1"})) == (409, "sku_taken", None)
    assert product_collection().count_documents({"sku": "L-1"}) == 1


def test_put_sets_the_given_fields(staff: APIClient) -> None:
    lamp = stocked(3)
    changed = staff.put(product_url(lamp), LANTERN, headers={"If-Match": "*"})
    assert changed.status_code == 200
    assert {name: changed.json()[name] for name in LANTERN} == LANTERN


def test_patch_leaves_the_other_fields(staff: APIClient) -> None:
    lamp = stocked(3)
    changed = staff.patch(product_url(lamp), {"isActive": False, "stock": 4}).json()
    assert (changed["name"], changed["stock"], changed["isActive"]) == ("Lantern", 4, False)


def test_computed_fields_cannot_be_set(staff: APIClient) -> None:
    lamp = stocked(3)
    body = {
        "id": str(ObjectId()),
        "inStock": False,
        "lowStock": True,
        "received": 9,
        "createdAt": "2020-01-01T00:00:00Z",
    }
    changed = staff.patch(product_url(lamp), body).json()
    assert (changed["id"], changed["inStock"], changed["lowStock"]) == (lamp, True, False)
    assert changed["createdAt"] > "2021"
    assert staff.patch(product_url(lamp), {"stock": 3}).json()["stock"] == 3


def test_delete_removes_the_product(staff: APIClient) -> None:
    lamp = stocked(3)
    assert staff.delete(product_url(lamp)).status_code == 204
    assert error_of(staff.get(product_url(lamp))) == (404, "not_found", None)


def test_a_product_that_orders_hold_cannot_be_deleted(staff: APIClient) -> None:
    lamp = stocked(3)
    settle([reserve(new_order(), (lamp, 1))])
    assert error_of(staff.delete(product_url(lamp))) == (409, "product_held", None)
    assert stock_of(lamp) == 2


def test_only_staff_write(client: APIClient) -> None:
    lamp = stocked(3)
    expected = 403 if "HTTP_AUTHORIZATION" in client.defaults else 401
    for answer in (
        client.post(PRODUCTS, LANTERN),
        client.put(product_url(lamp), LANTERN),
        client.patch(product_url(lamp), {"stock": 100}),
        client.delete(product_url(lamp)),
    ):
        assert answer.status_code == expected
    assert stock_of(lamp) == 3
    assert product_collection().count_documents({}) == 1


@pytest.mark.django_db
def test_a_service_key_does_not_write_the_catalogue() -> None:
    assert service().post(PRODUCTS, LANTERN).status_code == 401
    assert product_collection().count_documents({}) == 0


def test_inactive_products_are_shown_to_staff_only(client: APIClient, staff: APIClient) -> None:
    lamp = stocked(3, is_active=False)
    assert error_of(client.get(product_url(lamp))) == (404, "not_found", None)
    assert client.get(PRODUCTS).json()["count"] == 0
    assert client.get(PRODUCTS, {"isActive": "false"}).json()["count"] == 0
    assert staff.get(product_url(lamp)).json()["isActive"] is False
    assert staff.get(PRODUCTS).json()["count"] == 1


@pytest.mark.parametrize("product_id", ["0" * 24, "no-product", "x" * 24, "1"])
def test_an_unknown_product_is_not_found(staff: APIClient, product_id: str) -> None:
    for answer in (
        staff.get(product_url(product_id)),
        staff.patch(product_url(product_id), {"stock": 1}),
        staff.delete(product_url(product_id)),
    ):
        assert error_of(answer) == (404, "not_found", None)


def test_a_list_has_pages() -> None:
    ids = [stocked(1) for _ in range(5)]
    first = APIClient().get(f"{PRODUCTS}?pageSize=3&ordering=createdAt").json()
    assert (first["count"], first["previous"]) == (5, None)
    second = APIClient().get(first["next"]).json()
    assert second["next"] is None
    assert sorted(product["id"] for product in first["results"] + second["results"]) == sorted(ids)
    assert error_of(APIClient().get(f"{PRODUCTS}?page=9")) == (404, "not_found", None)


def test_a_list_is_filtered_and_sorted(staff: APIClient) -> None:
    for name, price, tags in (("Lantern", "19.90", ["oil", "brass"]), ("Lamp", "9.00", ["brass"])):
        staff.post(PRODUCTS, LANTERN | {"name": name, "price": price, "tags": tags, "sku": name})

    def found(query: str) -> list[str]:
        return [product["name"] for product in APIClient().get(f"{PRODUCTS}?{query}").json()["results"]]

    assert found("ordering=price") == ["Lamp", "Lantern"]
    assert found("ordering=-createdAt") == ["Lamp", "Lantern"]
    assert found("minPrice=10&maxPrice=20.00") == ["Lantern"]
    assert found("tags=brass&tags=oil") == ["Lantern"]
    assert found("search=lamp") == ["Lamp"]
    assert found("inStock=true&category=Light&brand=Acme&ordering=name") == ["Lamp", "Lantern"]
    assert found("inStock=false") == []
    assert found("search=&category=&minPrice=&inStock=&ordering=") == ["Lamp", "Lantern"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"minPrice": "cheap"}, "invalid"),
        ({"maxPrice": "-1"}, "min_value"),
        ({"inStock": "perhaps"}, "invalid"),
        ({"isActive": "2"}, "invalid"),
        ({"lowStock": "2"}, "invalid"),
        ({"ordering": "colour"}, "invalid_choice"),
        ({"ordering": "created_at"}, "invalid_choice"),
        ({"search": "x" * 201}, "max_length"),
    ],
)
def test_an_invalid_value_of_a_parameter_is_refused(query: dict[str, str], code: str) -> None:
    (field,) = query
    assert error_of(APIClient().get(PRODUCTS, query)) == (400, code, field)


def test_the_browsable_pages_open() -> None:
    lamp = stocked(3)
    for url in (PRODUCTS, product_url(lamp)):
        page = user(is_staff=True).get(url, HTTP_ACCEPT="text/html")
        assert page.status_code == 200
        assert "Lantern" in page.content.decode()
