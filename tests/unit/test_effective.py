"""The settings in force, each with its origin; nothing secret among them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from figbridge.effective import MASK, effective
from figbridge.settings import load_settings

TEXT = """\
batch: 500
sources:
  legacy: {database: retail, password: hunter2, user: bob}
"""


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a function that returns setting → (value, origin), for variables and options."""
    for name in [n for n in os.environ if n.startswith("FIGBRIDGE_")]:
        monkeypatch.delenv(name)
    file = tmp_path / "figbridge.yaml"
    file.write_text(TEXT, encoding="utf-8")

    def show(variables=(), **options):
        for name, value in dict(variables).items():
            monkeypatch.setenv(name, value)
        settings = load_settings(file, **options)
        return {e.name: (e.value, e.origin.replace(f"{file}", "FILE")) for e in effective(settings, file, set(options))}

    return show


def test_each_setting_says_who_said_it(shown):
    """Options win over variables, variables over the file, the file over the defaults."""
    found = shown(
        {"FIGBRIDGE_BATCH": "7", "FIGBRIDGE_SOURCES__LEGACY__PORT": "6000", "FIGBRIDGE_DATA": "/x"}, data=Path("/y")
    )
    assert found["data"] == ("/y", "option")
    assert found["batch"] == (7, "environment FIGBRIDGE_BATCH")
    assert found["sources.legacy.port"] == (6000, "environment FIGBRIDGE_SOURCES__LEGACY__PORT")
    assert found["sources.legacy.user"] == ("bob", "FILE:3:49")
    assert found["group"] == ("bridge", "default")


def test_a_map_from_one_variable_names_it_for_all_that_is_in_it(shown):
    """A variable may hold a whole source as JSON."""
    found = shown({"FIGBRIDGE_SOURCES": '{"delivery": {"database": "d"}}'})
    assert found["sources.delivery.database"] == ("d", "environment FIGBRIDGE_SOURCES")


def test_no_secret_is_shown(shown):
    """A secret that is set is masked; that none is set is worth knowing."""
    found = shown({"FIGBRIDGE_SOURCES": '{"delivery": {"database": "d"}}'})
    assert found["sources.legacy.password"][0] == MASK
    assert found["sources.delivery.password"][0] == ""
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("sasl.password", True),
        ("sasl.jaas.config", True),
        ("sasl.oauthbearer.client.secret", True),
        ("ssl.key.password", True),
        ("ssl.key.pem", True),
        ("ssl.ca.location", False),
        ("bootstrap.servers", False),
        ("password_file", False),
    ],
)
def test_names_of_secrets_that_are_passed_through_are_known(name, masked):
    """What is meant for librdkafka has its names."""
    from figbridge.effective import _shown

    assert (_shown(("kafka", name), "value") == MASK) == masked
