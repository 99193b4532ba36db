"""Every code a finding about documents can have, with its meaning in one line: the table of the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says; `severity` is error (the document cannot be used) or warning (a person should look)."""

    text: str
    severity: str = "error"


def _warning(text: str) -> Meaning:
    return Meaning(text, "warning")


CODES: Final[dict[str, Meaning]] = {
    # the file
    "YAML001": Meaning("The file cannot be read, or is not UTF-8 text."),
    "YAML002": Meaning("The text is not YAML."),
    "YAML003": Meaning("A key stands twice in one map."),
    "YAML004": Meaning("An anchor or an alias: a document says only what one sees."),
    "YAML005": Meaning("A tag: every value stays the text that is written."),
    "YAML006": Meaning("A merge key."),
    "YAML007": Meaning("A second document in one file."),
    "YAML008": Meaning("Nested too deep."),
    "YAML009": Meaning("The file is too large."),
    "YAML010": Meaning("A key that is a list or a map."),
    "YAML011": Meaning("Nothing stands after a key or in an item."),
    "YAML012": Meaning("The document is not a map."),
    # the shape of a document
    "DOC001": Meaning("A key that the document does not have."),
    "DOC002": Meaning("A key is missing."),
    "DOC003": Meaning("Text, a list or a map stands where another of them is expected."),
    "DOC004": Meaning("A word that is none of those allowed."),
    "DOC005": Meaning("A name or number that is not of the form it must have, or is a word of conditions."),
    "DOC006": Meaning("An unknown reader."),
    "DOC007": Meaning("Two readers in one map."),
    "DOC008": Meaning("Keys that contradict each other, or one of several is missing."),
    # names
    "NAME001": Meaning("An attribute that `read` does not have."),
    "NAME002": Meaning("A relation that `with` does not have."),
    "NAME003": Meaning("A code table that `lookup` does not have."),
    "NAME004": Meaning("A fact that `facts` does not have."),
    "NAME005": Meaning("A test names a table that the mapping does not have, or that may be several."),
    "NAME006": Meaning("A time zone that does not exist."),
    "NAME007": Meaning("A system that `systems` does not have."),
    "NAME008": Meaning("A test expects an event that the mapping does not have."),
    "NAME009": Meaning("Two documents or tests have one name."),
    # use of what exists
    "USE001": Meaning("A column or relation that is not of the one row that is read."),
    "USE002": Meaning("An attribute of many rows in a rule that does not judge each of them."),
    "USE003": Meaning("A relation is joined by more or fewer columns than the key has."),
    "USE004": Meaning("A relation's rows are judged by something else than `changes`."),
    "USE005": Meaning("A fact names an attribute of rows, which are owned as a whole."),
    # conditions
    "WHEN001": Meaning("A condition that does not parse."),
    "WHEN002": Meaning("A condition that is too long or too deep."),
    "WHEN003": Meaning("`was.` stands somewhere else than before `is`."),
    # lint of mappings
    "MAP001": Meaning("An attribute is in no fact: nobody can own it."),
    "MAP002": Meaning("An attribute is in two facts: two systems could own it."),
    "MAP003": _warning("An event is about a fact whose attributes it neither judges nor tells."),
    "MAP004": Meaning("A change of an attribute that no event, silent or never speaks for."),
    "MAP005": Meaning("Transitions of a code that no event, silent or never speaks for."),
    "MAP006": Meaning("A rule that needs no change: it fires whenever the row is touched."),
    "MAP007": Meaning("A condition names a value that the attribute cannot have."),
    "MAP008": Meaning("A column is read and also noise or unused."),
    "MAP009": _warning("A relation or code table that nothing uses."),
    "MAP010": Meaning("A column of the aggregate's id is noise or unused."),
    "MAP011": Meaning("An event tells the side on which the row is not there."),
    "MAP012": Meaning("A fact that facts.yaml does not declare."),
    "MAP013": Meaning("A declared fact that no mapping and no service has."),
    "MAP014": Meaning("A fact that two mappings have."),
    "MAP015": Meaning("A service's event is about a fact that nobody declares or maps."),
    "MAP016": Meaning("A service's event is about an aggregate that no mapping has."),
    "MAP017": Meaning("A service that is not among the systems of facts.yaml."),
    "MAP018": _warning("A reference to an aggregate that no mapping and no service has."),
    "MAP019": Meaning("Write-back of an attribute that is not of the fact, or to a column it is not read from."),
    # lint against live tables
    "MAP030": Meaning("A table that the database does not have."),
    "MAP031": Meaning("A column of a mapped table that is neither read nor noise nor unused."),
    "MAP032": Meaning("A column that the table does not have."),
    "MAP033": Meaning("A reader that cannot read the column's type."),
    "MAP034": Meaning("A key that is not the table's primary key."),
    # compiling
    "MAP090": Meaning("Two mappings give one table two keys."),
}


def severity(code: str) -> str:
    """Return error or warning for a code; raises KeyError for a code that does not exist."""
    return CODES[code].severity
