"""The words by which a product is found.

Capitals, accents and apostrophes do not count, and no word is left out: `the`, `it` and `who` are words too.
Beside each word that looks like an English plural stand the singulars that it may have, so that `shoes` and
`shoe` find each other; and beside the parts of `T-shirt` stands `tshirt`.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from products_app.documents.reading import Product

MAX_CHARACTERS = 20_000
"""Of all texts of a product; the API takes no more. Another program may write megabytes."""
SOURCES = ("name", "brand", "category", "tags", "sku", "description")
"""The stored fields that the words come from."""

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile("['\u2019\u02bc]")
_COMPOUND = re.compile(r"[^\W_]+(?:[-_./][^\W_]+)+")
# Letters that are no composition of a letter and an accent, so that normalising leaves them.
_PLAIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})  # noqa: RUF001
_SHORTEST_PLURAL = 4
_IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "people": "person",
}


def search_fields(product: Product) -> dict[str, list[str]]:
    """The stored fields with the product's words: those of its name, and all."""
    texts = (product.name, product.brand, product.category, *product.tags, product.sku, product.description)
    return {"nameWords": _forms([product.name]), "searchWords": _forms(texts)}


def words_in(text: str) -> Sequence[str]:
    """The words of a text, each once, in their order, in the form in which they are compared."""
    return list(dict.fromkeys(_WORD.findall(_plain(text))))


def _plain(text: str) -> str:
    """The text without capitals, accents and apostrophes."""
    if text.isascii():  # most texts, and ten times as fast
        return text.replace("'", "").lower()
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return plain.translate(_PLAIN_LETTERS)


def singulars(word: str) -> set[str]:
    """The singulars that the word may have if it is an English plural."""
    if word in _IRREGULAR:
        return {_IRREGULAR[word]}
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith("ss"):
        return set()
    found = {word[:-1]}
    if word.endswith("es"):
        found.add(word[:-2])
    if word.endswith("ies"):
        found.add(f"{word[:-3]}y")
    if word.endswith("ves"):
        found |= {f"{word[:-3]}f", f"{word[:-3]}fe"}
    return found


def _forms(texts: Iterable[str]) -> list[str]:
    text = " ".join(texts)[:MAX_CHARACTERS]
    joined = {"".join(_WORD.findall(compound)) for compound in _COMPOUND.findall(_plain(text))}
    words = joined.union(words_in(text))
    return sorted(words.union(*map(singulars, words)))
