"""Invented people, places and goods. Nobody lives here."""

from __future__ import annotations

import string
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple

CARRIERS: Final = {
    1: ("DHL", "Paketdienst Nord"),
    2: ("UPS", "Braune Wagen"),
    3: ("GLS", "Kleine Pakete"),
    4: ("POST", "Die Post"),
}
"""carrier_id → (code, name)."""

PRICES: Final = {
    "A1": "9.95", "A2": "12.50", "A3": "4.99", "B-100": "19.90", "B-200": "5.00", "B-300": "7.25", "C10": "129.00",
    "C20": "249.00", "C30": "59.90", "D4": "0.99", "D5": "1.49", "D6": "2.29", "E-77": "33.30", "E-78": "44.40",
    "F001": "15.00", "F002": "16.00", "G9": "89.95", "H-1000": "399.00", "K-100200": "8.80", "K-100300": "9.90",
}  # fmt: skip
"""Article → price in EUR."""

_FIRST = ("Ada", "Bo", "Cem", "Dora", "Emil", "Fay", "Gita", "Hugo", "Ines", "Jan", "Käthe", "Liu", "Mara", "Nils")
_LAST = ("Muster", "Beispiel", "Probe", "Exempel", "Vorlage", "Entwurf", "Skizze", "Modell", "Versuch", "Übung")
_STREET = ("Hauptstr.", "Nebenweg", "Am Ring", "Lindenstr.", "Alte Gasse", "Neuer Wall", "Schulstr.", "Hafenallee")
_TOWN = ("10115 Berlin", "20095 Hamburg", "50667 Köln", "61348 Bad Homburg", "80331 München", "01067 Dresden")
_TYPED = "Packstation {}", "c/o Pförtner, Tor {}", "{} Rue Exemple\nL-1234 Luxembourg\nLuxembourg"


class Person(NamedTuple):
    """A first and a last name."""

    first: str
    last: str

    @property
    def name(self) -> str:
        """Return both names."""
        return f"{self.first} {self.last}"


def person(rng: Random) -> Person:
    """Return an invented person."""
    return Person(rng.choice(_FIRST), rng.choice(_LAST))


def address(rng: Random, serial: int) -> str:
    """Return the text of an address, another for each serial; one in twenty-five as it should not be typed."""
    if rng.randrange(25) == 0:
        return rng.choice(_TYPED).format(serial)
    return f"{rng.choice(_STREET)} {serial}\n{rng.choice(_TOWN)}"


def email(who: Person, serial: int) -> str:
    """Return an invented e-mail address, never the same for another serial."""
    letters = f"{who.first}.{who.last}".lower().translate({ord("ä"): "ae", ord("ü"): "ue", ord("ö"): "oe"})
    return f"{letters}.{serial}@example.test"


def story(rng: Random, length: int) -> str:
    """Return prose that does not compress."""
    return "".join(rng.choices(string.ascii_letters + string.digits, k=length))


def basket(rng: Random) -> list[tuple[str, int, Decimal]]:
    """Return one to four lines (article, quantity, price); an article may come twice."""
    return [
        (item, rng.randrange(1, 5), Decimal(PRICES[item])) for item in rng.choices(list(PRICES), k=rng.randrange(1, 5))
    ]
