"""The probes and figures of a running process, asked over HTTP as Kubernetes and Prometheus ask."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import pytest

from figbridge.adapters.http.server import served
from figbridge.errors import Unreachable
from figbridge.telemetry.health import Health
from figbridge.telemetry.metrics import Registry


def ask(address: str, path: str) -> tuple[int, str, str]:
    """Return the status, type and body of an answer."""
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as answer:
            return answer.status, answer.headers["content-type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["content-type"], error.read().decode()


def test_probes_answer_yes_with_200_and_no_with_503_and_say_why():
    """An operator who opens the probe in a browser reads the reason."""
    health = Health(lambda: 1.0)
    with served("127.0.0.1", 0, health, Registry()) as address:
        assert ask(address, "/livez")[0] == 200
        assert ask(address, "/startupz")[::2] == (503, "starting\n")
        assert ask(address, "/readyz")[::2] == (503, "it has not looked for work yet\n")
        health.looked(1)
        assert [ask(address, p)[0] for p in ("/livez", "/readyz", "/startupz")] == [200, 200, 200]
        health.troubled("the authority store cannot be read")
        assert ask(address, "/readyz")[::2] == (503, "the authority store cannot be read\n")


def test_figures_come_in_the_format_that_prometheus_asks_for():
    """Type and version are part of the format."""
    with served("127.0.0.1", 0, Health(lambda: 1.0), Registry()) as address:
        status, kind, body = ask(address, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "# TYPE figbridge_parked_keys gauge" in body


def test_a_port_in_use_is_one_sentence():
    """The process says which port and does not start without its probes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(Unreachable, match=f"127.0.0.1:{port}"),
            served("127.0.0.1", port, Health(lambda: 1.0), Registry()),
        ):
            pass


def test_the_port_is_free_again_afterwards():
    """A bridge that starts again at once finds its port."""
    with served("127.0.0.1", 0, Health(lambda: 1.0), Registry()) as address:
        port = int(address.rpartition(":")[2])
    with served("127.0.0.1", port, Health(lambda: 1.0), Registry()) as again:
        assert ask(again, "/livez")[0] == 200
