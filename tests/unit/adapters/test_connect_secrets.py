"""No secret is shown: neither one of a live configuration nor one that Connect repeats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.adapters.connect.secrets import HIDDEN, Scrubber, hide
from figbridge.domain.secret import is_reference, is_secret

SECRETS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=6, max_size=20)
NAMES = [
    "database.password", "signal.consumer.sasl.jaas.config", "producer.override.ssl.keystore.password",
    "database.ssl.truststore.password", "schema.history.internal.consumer.ssl.key.password", "my.api.key", "auth.token",
]  # fmt: skip


@given(st.sampled_from(NAMES), SECRETS)
def test_a_secret_that_is_written_out_is_hidden(name: str, secret: str) -> None:
    """Whatever stands in a live configuration, nothing of it is shown."""
    assert hide({name: secret, "tasks.max": "1"}) == {name: HIDDEN, "tasks.max": "1"}


@pytest.mark.parametrize("reference", ["${file:/run/s.properties:password}", "${dir:/run/s:pw}", "${env:PW}"])
def test_a_reference_is_shown(reference: str) -> None:
    """Where a secret is kept is no secret."""
    assert is_reference(reference)
    assert hide({"database.password": reference}) == {"database.password": reference}


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("${file:/a:b}", True),
        ("x${file:/a:b}", False),
        ("${file:/a:b}${file:/a:c}", True),
        (('org.apache.kafka.common.security.scram.ScramLoginModule required username="${file:/a:u}" '
         'password="${file:/a:p}";'), True),
        (('org.apache.kafka.common.security.scram.ScramLoginModule required username="${file:/a:u}" '
         'password="hunter2";'), False),
        ("", False),
        ("${}", False),
    ],
)  # fmt: skip
def test_only_references_alone_are_references(value: str, clean: bool) -> None:
    """A secret beside a reference is a secret that is written out."""
    assert is_reference(value) == clean


@given(SECRETS, st.text(), st.text())
def test_a_secret_that_was_seen_is_taken_out_of_every_text(secret: str, before: str, after: str) -> None:
    """Connect and databases repeat what they were given in their errors."""
    scrubber = Scrubber()
    scrubber.learn({"database.password": secret})
    assert secret not in scrubber.clean(f"{before}{secret}{after}").replace(HIDDEN, "")


@pytest.mark.parametrize(
    "text",
    [
        "cannot connect to jdbc:postgresql://db/shop?user=cdc&password=hunter2&ssl=1",
        "Invalid value for password: hunter2",
        "http://cdc:hunter2@connect:8083 refused",
        'sasl.jaas.config: username="cdc" password="hunter2";',
    ],
)
def test_what_is_written_as_a_secret_is_taken_out_though_nobody_knew_it(text: str) -> None:
    """A text may hold a secret that no configuration showed."""
    cleaned = Scrubber().clean(text)
    assert "hunter2" not in cleaned
    assert HIDDEN in cleaned


def test_settings_that_only_sound_alike_are_shown() -> None:
    """Keys of rows and of converters are no keys of locks."""
    for name in ("message.key.columns", "key.converter", "key.converter.schemas.enable", "database.user"):
        assert not is_secret(name)
