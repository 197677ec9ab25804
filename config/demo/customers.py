"""The demo's customers and where they live: nobody real, at addresses that take no mail."""

from datetime import UTC, datetime

from django.contrib.auth.models import User
from msgspec import Struct
from msgspec.structs import replace

from orders_app.document import ShippingAddress
from orders_app.models import MailPreference

_JOINED = datetime(2026, 1, 5, 9, tzinfo=UTC)
_WITH_PASSWORD = ("alice", "bob")
_PEOPLE = """
alice|Alice|Moreau|12 Mill Lane|Edinburgh||EH3 5BQ|GB
bob|Bob|Lindqvist|4 Harbour Row|Göteborg||411 04|SE
amelia.hart|Amelia|Hart|88 Quay Street|Bristol||BS1 4RN|GB
jonas.weber|Jonas|Weber|Lindenweg 7|Leipzig|SN|04109|DE
priya.nair|Priya|Nair|21 Church Street|Bengaluru|KA|560001|IN
lucas.martin|Lucas|Martin|9 rue des Lilas|Lyon||69003|FR
sofia.rossi|Sofia|Rossi|Via Garibaldi 15|Torino|TO|10122|IT
noah.jensen|Noah|Jensen|Vestergade 33|Aarhus||8000|DK
emma.de.vries|Emma|de Vries|Keizersgracht 210|Amsterdam||1016 DX|NL
liam.obrien|Liam|O'Brien|5 Strand Road|Galway||H91 E2K8|IE
mia.kowalska|Mia|Kowalska|ul. Długa 18|Kraków||31-147|PL
oliver.brown|Oliver|Brown|1402 Maple Avenue|Portland|OR|97205|US
charlotte.lee|Charlotte|Lee|77 Bay Street|Toronto|ON|M5J 2R8|CA
henrik.berg|Henrik|Berg|Storgata 41|Bergen||5015|NO
clara.fischer|Clara|Fischer|Am Markt 3|Freiburg|BW|79098|DE
mateo.garcia|Mateo|García|Calle Mayor 27|Zaragoza||50001|ES
hannah.cohen|Hannah|Cohen|310 Elm Street|Cambridge|MA|02139|US
theo.laurent|Théo|Laurent|2 place du Marché|Nantes||44000|FR
isla.campbell|Isla|Campbell|16 Castle Wynd|Stirling||FK8 1EG|GB
arjun.mehta|Arjun|Mehta|8 Marine Drive|Mumbai|MH|400020|IN
elsa.nieminen|Elsa|Nieminen|Aleksanterinkatu 12|Tampere||33100|FI
david.novak|David|Novák|Lidická 9|Brno||602 00|CZ
ruth.adeyemi|Ruth|Adeyemi|45 Peckham Road|London||SE5 8UF|GB
marco.bianchi|Marco|Bianchi|Corso Italia 60|Genova|GE|16145|IT
lena.hoffmann|Lena|Hoffmann|Rosenstraße 22|Münster|NW|48143|DE
samuel.ortiz|Samuel|Ortiz|905 Juniper Way|Santa Fe|NM|87501|US
grace.walker|Grace|Walker|3 Orchard Close|York||YO1 7HF|GB
ines.ferreira|Inês|Ferreira|Rua das Flores 54|Porto||4050-262|PT
tom.vandenberg|Tom|Van den Berg|Kerkstraat 11|Gent||9000|BE
yuki.tanaka|Yuki|Tanaka|2-8-1 Nishi|Sapporo||060-0001|JP
eva.szabo|Éva|Szabó|Petőfi utca 6|Szeged||6720|HU
nils.andersson|Nils|Andersson|Kungsgatan 19|Uppsala||753 21|SE
""".strip()


class Customer(Struct, frozen=True):
    """A customer of the demo; their user's id once there is one."""

    name: str
    first_name: str
    last_name: str
    address: ShippingAddress
    user_id: int = 0


def ensure_customers() -> list[Customer]:
    """The customers, each with a user; those that have none get one that cannot sign in and wants no mail.

    Some are `alice` and `bob`, who can.
    """
    return [_with_user(_customer(line)) for line in _PEOPLE.splitlines()]


def _customer(line: str) -> Customer:
    name, first_name, last_name, street, city, state, zip_code, country = line.split("|")
    address = ShippingAddress(street=street, city=city, state=state, zip_code=zip_code, country=country)
    return Customer(name, first_name, last_name, address)


def _with_user(customer: Customer) -> Customer:
    user, is_new = User.objects.get_or_create(
        username=customer.name,
        defaults={
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "email": f"{customer.name}@example.com",
            "password": "!",
            "date_joined": _JOINED,
        },
    )
    if is_new:
        MailPreference.objects.create(user=user, notifications=False)
    elif customer.name in _WITH_PASSWORD and not user.last_name:
        user.first_name, user.last_name = customer.first_name, customer.last_name
        user.save(update_fields=["first_name", "last_name"])
    return replace(customer, user_id=user.pk)
