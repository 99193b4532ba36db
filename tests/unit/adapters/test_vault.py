"""What a dead letter keeps of its record: nothing, ciphertext with a key, or clear text only of what is safe."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.adapters.vault import new_key, vault
from figbridge.domain.change import Position
from figbridge.errors import ConfigurationError, Refused
from figbridge.ports import Record

PLACE = Position("figbridge.legacy.log", 0, 7)
HEADERS = (("__debezium.context.runId", b"r"), ("empty", None))
RECORD = Record(*PLACE, b'{"id":1}', b'{"op":"c","name":"Ada"}', HEADERS, 5)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Return a key file with one key."""
    path = tmp_path / "keys"
    path.write_text(new_key() + "\n")
    return path


def test_by_reference_nothing_is_kept(key_file: Path) -> None:
    """Whatever is safe: the source log has the record."""
    for keeper in (vault("reference", None), vault("reference", key_file)):
        assert keeper.keep(RECORD, safe=True) == {}
        assert keeper.open({}, PLACE) is None


parts = st.none() | st.binary(max_size=40)


@given(key=parts, value=parts, headers=st.lists(st.tuples(st.text(max_size=9), parts), max_size=3))
def test_what_is_encrypted_comes_out_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, key: bytes | None, value: bytes | None, headers: list
) -> None:
    """Any bytes at all, for a dead record may hold anything; the letter shows none of them."""
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(new_key())
    keeper = vault("encrypted", file)
    record = Record(*PLACE, key, value, tuple(headers), 5)
    assert keeper.open(keeper.keep(record, safe=False), PLACE) == record


def test_no_value_is_readable_in_what_is_encrypted(key_file: Path) -> None:
    """Not even of columns that are safe."""
    kept = vault("encrypted", key_file).keep(RECORD, safe=True)
    assert set(kept) == {"encrypted"}
    assert "Ada" not in str(kept)


def test_clear_text_is_kept_only_of_what_is_safe() -> None:
    """Every column declared: readable. One that is not: by reference."""
    keeper = vault("clear", None)
    kept = keeper.keep(RECORD, safe=True)
    assert kept["clear"]["value"] == '{"op":"c","name":"Ada"}'
    assert keeper.open(kept, PLACE) == RECORD
    assert keeper.keep(RECORD, safe=False) == {}
    assert keeper.keep(RECORD._replace(headers=(("odd", b"\xff"),)), safe=True) == {}


def test_keys_are_changed_by_putting_a_new_one_in_front(key_file: Path) -> None:
    """Old letters open with the old key, which stays in the file; new ones need the new key."""
    old = vault("encrypted", key_file).keep(RECORD, safe=False)
    alone = key_file.read_text()
    key_file.write_text(new_key() + "\n" + alone)
    both = vault("encrypted", key_file)
    assert both.open(old, PLACE) == RECORD
    new = both.keep(RECORD, safe=False)
    key_file.write_text(alone)
    with pytest.raises(Refused) as refused:
        vault("reference", key_file).open(new, PLACE)
    assert refused.value.code == "LET003"
    with pytest.raises(Refused) as refused:
        vault("reference", None).open(new, PLACE)
    assert refused.value.code == "LET003"


@pytest.mark.parametrize("text", [None, "", "no key\n", "\udcff"])
def test_encryption_without_a_usable_key_is_a_finding(tmp_path: Path, text: str | None) -> None:
    """Said at the start, with the file; never a letter in clear instead."""
    path = tmp_path / "keys"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError) as found:
        vault("encrypted", path)
    assert [f.code for f in found.value.findings] == ["SET006"]
    assert found.value.findings[0].place.file == str(path)
    with pytest.raises(ConfigurationError):
        vault("encrypted", None)
