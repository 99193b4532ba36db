"""Two mappings may share a table; they may not contradict each other on it."""

from __future__ import annotations

import pytest

from figbridge.errors import ConfigurationError
from figbridge.mapping.compiler import compile_plan
from figbridge.mapping.loader import parse_mapping

STOCK = """
mapping: {name}
version: 1
source: {{table: shop.stock, key: {key}}}
about: {{aggregate: {aggregate}, id: "{name}-{{{key}}}"}}
read: {{onHand: {{int: on_hand}}}}
facts: {{{name}.level: [onHand]}}
events: {{{aggregate}Counted: {{when: appears, tell: [onHand], fact: {name}.level}}}}
silent: [onHand changes, disappears]
"""


def test_two_mappings_that_give_one_table_two_keys_are_refused() -> None:
    """MAP090: a table has one primary key; the finding stands where the second mapping says otherwise."""
    one = parse_mapping(STOCK.format(name="stock", key="item_cd", aggregate="Stock"), "one.yaml")
    two = parse_mapping(STOCK.format(name="shelf", key="shelf_no", aggregate="Shelf"), "two.yaml")
    with pytest.raises(ConfigurationError) as refused:
        compile_plan([one, two])
    assert [(f.code, f.place.file) for f in refused.value.findings] == [("MAP090", "two.yaml")]
