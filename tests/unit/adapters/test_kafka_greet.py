"""Meeting the brokers without any: who does not answer, and settings that are none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread
from time import monotonic

import pytest

from figbridge.adapters.kafka.door import trouble_at
from figbridge.adapters.kafka.greet import admin, greet
from figbridge.errors import ConfigurationError, Refused, Unreachable
from figbridge.sandbox.ports import free_port

TLS = {"security.protocol": "SSL"}


@pytest.fixture
def kafka_port() -> Iterator[str]:
    """Give an address that answers Kafka's first request as a listener without TLS does, and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    asked = client.recv(18)
                    if asked[4:6] == b"\x00\x12":  # ApiVersions; a TLS handshake is hung up on
                        client.sendall(b"\x00\x00\x00\x06" + asked[8:12] + b"\x00\x23")

        thread = Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.parametrize("code", ["OPS001", "CON030"])
def test_brokers_that_are_gone_are_unreachable_with_the_callers_code(code: str) -> None:
    """The sentence names the address and what was seen there; the hint is a step."""
    servers = f"127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable) as caught:
        greet({"bootstrap.servers": servers}, 0.2, code)
    assert caught.value.code == code
    assert caught.value.message == f"Kafka at {servers} does not answer: {servers}: nobody listens"
    assert "check kafka.servers" in caught.value.hint


def test_a_port_without_tls_is_not_waited_for(kafka_port: str) -> None:
    """It will never speak TLS, however long one waits."""
    with pytest.raises(Refused) as caught:
        greet({"bootstrap.servers": kafka_port, **TLS}, 60.0)
    assert caught.value.code == "KAF007"
    assert "does not speak TLS" in caught.value.message


def test_one_broker_that_may_still_answer_is_waited_for(kafka_port: str) -> None:
    """One address that is wrong for good does not speak for another that is only down; in the end it is told."""
    servers, began = f"127.0.0.1:{free_port()},{kafka_port}", monotonic()
    with pytest.raises(Refused) as caught:
        greet({"bootstrap.servers": servers, **TLS}, 3.0)
    assert monotonic() - began >= 3.0
    assert caught.value.code == "KAF007"


def test_what_is_well_is_no_trouble(kafka_port: str) -> None:
    """A port that speaks as the settings do is not complained of; an address without a name is."""
    assert trouble_at(kafka_port, {}) is None
    lost = trouble_at("no-such-host.invalid:9092", {})
    assert lost is not None
    assert (lost.lasting, lost.says) == (False, "no address is known for no-such-host.invalid")


@pytest.mark.parametrize("wrong", [{"ssl.ca.location": "/none.pem"}, {"security.protocol": "TLS"}, {"sasl.none": "x"}])
def test_settings_that_are_none_are_a_finding_without_secrets(wrong: dict[str, str]) -> None:
    """Librdkafka's reason is told, with the place; a password is not, even where librdkafka would say it."""
    given = {"bootstrap.servers": "a:1", "security.protocol": "SSL", "ssl.key.password": "TLS", **wrong}
    with pytest.raises(ConfigurationError) as caught:
        admin(given)
    (finding,) = caught.value.findings
    assert (finding.code, str(finding.place)) == ("SET023", "kafka.security")
    assert "TLS" not in finding.message
