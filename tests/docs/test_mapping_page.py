"""docs/mapping.md has every key and reader of the mapping language, and no other."""

from __future__ import annotations

import re

from figbridge.mapping import document as d
from figbridge.mapping.grammar import KEYWORDS
from figbridge.mapping.parse_form import Form
from figbridge.mapping.parse_readers import FORMS

from .pages import first_cells, page, rows

PAGE = page("docs/mapping.md")


def keys(model: type[Form]) -> set[str]:
    """Return the keys of a form."""
    return set(model.keys())


def test_the_keys_of_a_mapping_are_documented() -> None:
    """Each map of a mapping has its keys in its table, and no other key."""
    text = PAGE.split("### `source`")[0]
    assert set(first_cells(text, "The keys of a mapping")) == keys(d.MappingForm)
    for section, model in (
        ("`source`", d.SourceForm),
        ("`with`", d.RelationForm),
        ("`about`", d.AboutForm),
        ("`events`", d.EventForm),
        ("`tests`", d.TestForm),
    ):
        assert set(first_cells(PAGE, section)) == keys(model), section


def test_the_defaults_of_the_page_are_those_of_the_models() -> None:
    """A key that must stand is called required, and one that need not is not."""
    text = PAGE.split("### `source`")[0]
    for key, default, _ in rows(text, "The keys of a mapping"):
        field = next(f for n, f in d.MappingForm.model_fields.items() if (f.alias or n) == key)
        assert field.is_required() == (default == "required"), key
        if default not in ("required", "none"):
            assert str(field.default) == default, key


def test_the_keys_of_the_other_documents_are_named() -> None:
    """Each key of facts.yaml, a service and a catalogue of tables stands in its section."""
    for section, models in (
        ("`facts.yaml`", (d.FactsForm, d.FactForm, d.CopyForm)),
        ("`services/*.yaml`", (d.ServiceForm, d.OutboxForm, d.OutboxColumnsForm, d.ServiceEventForm)),
        ("`schema/tables.yaml`", (d.TablesForm, d.ColumnForm)),
        ("`lookup`", (d.LookupTableForm,)),
        ("`tests`", (d.StepForm,)),
    ):
        _, _, rest = PAGE.partition(f" {section}\n")
        assert rest, section
        part = re.split(r"^##+ ", rest, flags=re.MULTILINE)[0]
        for model in models:
            for key in keys(model):
                assert f"`{key}`" in part, f"{section} does not name {key}"


def test_the_readers_are_documented_with_their_options() -> None:
    """Each reader has a row with every option that it has, and no other reader has one."""
    documented = {row[0]: row[1] for row in rows(PAGE, "Readers")}
    assert set(documented) == set(FORMS)
    for name, form in FORMS.items():
        options = keys(form) - {name, "otherwise"}
        for option in options:
            assert f"{option}`" in f"{documented[name]}`", f"{name} has {option}"
        named = set(re.findall(r"(?:^|; )`?([a-z]+)`?(?::| of)", documented[name]))
        assert named <= options, name


def test_the_words_of_conditions_are_documented() -> None:
    """Each reserved word stands on the page, so that nobody names an attribute so."""
    found = re.search(r"cannot name attributes and relations: `([^`]+)`", PAGE)
    assert found
    assert set(found[1].split()) == KEYWORDS
