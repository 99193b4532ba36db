"""A broker with TLS and accounts: the bridge works over it, and whoever is not let in is told why, at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from cli.support import CAPTURES, LOG, ROOT, called, write_mappings
from figbridge import bootstrap
from figbridge.adapters.connect.broker import KafkaBroker
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog
from figbridge.errors import ConfigurationError, Refused
from figbridge.ports import Outgoing, TopicPartition
from figbridge.sandbox import parts, ports
from figbridge.sandbox.jvm import Jvm
from support.secure import PASSWORD, USER, Authority, SecureBroker

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]

WRONG = "wrong-horse-battery"
AT_ONCE_S = 100.0
"""On a busy machine, and long before `patience_s` has passed, which is for brokers that may come back."""


class Site:
    """A broker with an authority that clients trust and one they do not, and a bridge's folder."""

    def __init__(self, broker: SecureBroker, trusted: Authority, other: Authority) -> None:
        self.broker, self.trusted, self.other = broker, trusted, other

    def security(self, **changes: str | None) -> dict[str, str]:
        """Return what an account needs to be let in, but for the password."""
        given = {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": USER,
            "ssl.ca.location": str(self.trusted.certificate),
        } | {name.replace("_", "."): value for name, value in changes.items()}
        return {name: value for name, value in given.items() if value is not None}

    def settings(
        self, folder: Path, listener: str, password: str = PASSWORD, patience_s: float = 600, **changes: str | None
    ) -> Path:
        """Write the settings of a bridge on one listener; the password is in a file of its own."""
        (folder / "password").write_text(f"{password}\n", encoding="utf-8")
        mappings = folder / "mappings"
        given = {
            "mappings": str(mappings if mappings.exists() else write_mappings(folder)),
            "data": str(folder / "data"),
            "topic_prefix": "figbridge",
            "log": "kafka",
            "kafka": {
                "servers": self.broker.address_of(listener) if listener else self.broker.address,
                "security": self.security(**changes),
                "secret_files": {"sasl.password": str(folder / "password")},
                "session_timeout_ms": 3_000,
                "patience_s": patience_s,
            },
        }
        file = folder / "figbridge.yaml"
        file.write_text(json.dumps(given), encoding="utf-8")
        return file

    def open(self, folder: Path) -> KafkaLog:
        """Open the log as a client that is let in."""
        secure = {**self.security(), "sasl.password": PASSWORD}
        return KafkaLog(Cluster(self.broker.address_of("safe"), security=secure), folder)


@pytest.fixture(scope="module")
def site(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a broker of its own; the session's broker has seen to the jars."""
    folder = tmp_path_factory.mktemp("secure")
    trusted, other = (Authority(folder, name) for name in ("trusted", "other"))
    broker = SecureBroker(folder / "broker", Jvm(parts.cache() / "kafka"), trusted)
    broker.start()
    try:
        yield Site(broker, trusted, other)
    finally:
        broker.stop()


def running(file: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start `figbridge run` in a process of its own."""
    words = ["run", "--from", "earliest", "--settings", str(file)]
    env = {k: v for k, v in os.environ.items() if not k.startswith("FIGBRIDGE_")}
    with out.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "figbridge", *words], cwd=ROOT, stdout=said, stderr=said, env=env
        )


def read_up_to(log: KafkaLog, process: subprocess.Popen[bytes], count: int) -> None:
    """Wait until a running bridge has committed so many records."""
    deadline = monotonic() + 90
    while log.committed("bridge").get(TopicPartition(LOG, 0), 0) < count:
        assert process.poll() is None, "it ended"
        assert monotonic() < deadline


def test_the_bridge_works_over_tls_with_an_account_and_survives_an_expired_certificate(
    site: Site, tmp_path: Path
) -> None:
    """Log, state and group are used over SASL_SSL. A certificate that expires while it runs ends it in one sentence;
    with a new one it goes on where it stood. The password is nowhere in what it says."""
    file, out = site.settings(tmp_path, "safe", patience_s=15), tmp_path / "out"
    log = site.open(tmp_path / "other")
    records = list(bootstrap.capture(CAPTURES / "postgres" / "transaction-order-and-lines.jsonl"))
    log.create(LOG)

    def feed() -> None:
        log.append([Outgoing(LOG, r.key, r.value, r.headers, r.timestamp, 0) for r in records])

    try:
        feed()
        process = running(file, out)
        try:
            read_up_to(log, process, len(records))
            assert "OrderPlaced" in called("explain", f"{LOG}/0@1", "--settings", file).out
            site.broker.stop()
            good = dict(site.broker.stores)
            site.broker.stores["safe"] = good["expired"]
            site.broker.start()
            assert process.wait(120) == 4, out.read_text()
        finally:
            process.kill()
            process.wait()
        said = out.read_text()
        assert "error: KAF007" in said
        assert "has expired" in said
        assert "%3|" not in said
        assert "Traceback" not in said
        assert PASSWORD not in said
        site.broker.stop()
        site.broker.stores.update(good)
        site.broker.start()
        feed()
        process = running(file, out)
        read_up_to(log, process, 2 * len(records))
        process.terminate()
        assert process.wait(60) == 0, out.read_text()
    finally:
        log.close()


REFUSED: dict[str, tuple[str, str, dict[str, str | None], str, str]] = {
    "wrong password": ("safe", WRONG, {}, "KAF005", "invalid credentials"),
    "wrong password, PLAIN": ("plain", WRONG, {"sasl_mechanism": "PLAIN"}, "KAF005", "Invalid username or password"),
    "another mechanism": ("plain", PASSWORD, {}, "KAF005", "supported mechanisms: PLAIN"),
    "an account where none is asked for": ("tls", PASSWORD, {}, "KAF005", "SASL"),
    "unknown authority": ("safe", PASSWORD, {"ssl_ca_location": "other"}, "KAF007", "authority that is not trusted"),
    "expired certificate": ("expired", PASSWORD, {}, "KAF007", "has expired"),
    "certificate of another host": ("misnamed", PASSWORD, {}, "KAF007", "is of another host"),
    "plaintext to a port with TLS": ("tls", PASSWORD, {"security_protocol": "PLAINTEXT"}, "KAF007", "speaks TLS"),
    "TLS to a port without": ("", PASSWORD, {}, "KAF007", "does not speak TLS"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_whoever_is_not_let_in_is_told_why_at_once(site: Site, tmp_path: Path, case: str) -> None:
    """One sentence with a stable code and its cause, and the next step; exit 4, no traceback, no line of librdkafka's,
    no secret, nothing made. The connectors' commands, which ask by themselves, hear the same."""
    listener, password, changes, code, cause = REFUSED[case]
    if changes.get("ssl_ca_location") == "other":
        changes = {**changes, "ssl_ca_location": str(site.other.certificate)}
    file = site.settings(tmp_path, listener, password, **changes)
    began = monotonic()
    said = called("run", "--from", "earliest", "--settings", file)
    assert monotonic() - began < AT_ONCE_S
    assert said.code == 4, said
    assert said.out == ""
    sentence, hint = said.err.splitlines()
    assert sentence.startswith(f"error: {code} "), said.err
    assert cause in sentence
    assert hint.startswith("hint:  ")
    assert password not in said.err
    assert list((tmp_path / "data").rglob("*")) == [], "nothing is half done"

    servers = site.broker.address_of(listener) if listener else site.broker.address
    client = {**site.security(**changes), "sasl.password": password, "bootstrap.servers": servers}
    with pytest.raises(Refused) as caught:
        KafkaBroker(client).look([LOG])
    assert (caught.value.code, cause in caught.value.message) == (code, True)
    assert password not in str(caught.value)


def test_settings_that_are_none_are_a_finding(site: Site, tmp_path: Path) -> None:
    """A file that is not there and a word that librdkafka does not know are told as such, without a connection."""
    for changes in ({"ssl_ca_location": "/none.pem"}, {"security_protocol": "TLS"}, {"sasl_mechanism": "ROT13"}):
        said = called("status", "--settings", site.settings(tmp_path, "safe", **changes))
        assert said.code == 3, said
        assert said.err.startswith("kafka.security: SET023")
        assert said.err.endswith("1 finding\n")
        assert PASSWORD not in said.err
        client = {**site.security(**changes), "sasl.password": PASSWORD, "bootstrap.servers": site.broker.address}
        with pytest.raises(ConfigurationError, match="SET023"):
            KafkaBroker(client)


def test_no_secret_is_shown(site: Site, tmp_path: Path) -> None:
    """Settings in force name the file of a password, and mask what was written out."""
    file = site.settings(tmp_path, "safe", ssl_key_password="hidden-word")
    said = called("config", "show", "--settings", file)
    assert said.code == 0
    assert str(tmp_path / "password") in said.out
    assert PASSWORD not in said.out + said.err
    assert "hidden-word" not in said.out + said.err


def test_brokers_that_are_gone_are_waited_for_and_then_told(tmp_path: Path, site: Site) -> None:
    """Nobody listens: that may pass, so it is waited for as long as `patience_s` says, and then one sentence."""
    file = site.settings(tmp_path, "safe", patience_s=2)
    given = json.loads(file.read_text(encoding="utf-8"))
    given["kafka"] |= {"servers": f"127.0.0.1:{ports.free_port()}"}
    file.write_text(json.dumps(given), encoding="utf-8")
    for words in (("run",), ("status",)):
        said = called(*words, "--settings", file)
        assert said.code == 1, said
        assert said.err.splitlines()[-2].startswith("error: OPS001 Kafka at 127.0.0.1")
        assert "nobody listens" in said.err
        assert "%3|" not in said.err
