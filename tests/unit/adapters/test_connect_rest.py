"""Kafka Connect's answers, as a real one gave them (tests/fixtures/connect), become values or typed errors."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
import responses
from connect_support import answer

from figbridge.adapters.connect.rest import ConnectRest
from figbridge.adapters.connect.trace import cause
from figbridge.errors import OperationalError, Refused, Unreachable

URL = "http://worker-1:8083"
REBALANCING = {"error_code": 409, "message": "Cannot complete request because of a conflicting operation"}


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    """Give a web in which only what a test puts there answers."""
    with responses.RequestsMock() as made:
        yield made


@pytest.fixture
def rest() -> Iterator[ConnectRest]:
    """Give a client that waits half a second for a rebalance."""
    made = ConnectRest(URL, rebalance_s=0.5)
    yield made
    made.close()


def put(web: responses.RequestsMock, name: str, method: str = "", path: str = "") -> None:
    """Let a recorded answer be given."""
    found = answer(name)
    web.add(method or found["method"], URL + (path or found["path"]), json=found["body"], status=found["status"])


def test_connectors_come_with_state_tasks_and_configuration(web, rest) -> None:
    """One call says everything; a task may have FAILED while its connector is RUNNING."""
    put(web, "connectors")
    found = rest.connectors()
    assert list(found) == ["figbridge-legacy", "rec-missing"]
    assert found["figbridge-legacy"].config["topic.prefix"] == "legacy"
    assert found["figbridge-legacy"].failed is None
    failed = found["rec-missing"].failed
    assert (found["rec-missing"].state, failed.state) == ("RUNNING", "FAILED")
    assert failed.cause == "No table filters found for filtered publication rec_missing"
    assert failed.trace.startswith("org.apache.kafka.connect.errors.ConnectException")


def test_a_secret_in_a_live_configuration_never_leaves_the_client(web, rest) -> None:
    """Neither in the configuration, nor in the trace of a task that repeats it."""
    found = answer("connectors")
    live = found["body"]["rec-missing"]
    live["info"]["config"]["database.password"] = "hunter2x"
    live["status"]["tasks"][0]["trace"] = "org.a.B: tried hunter2x\n\tat x\nCaused by: c.D: not hunter2x"
    web.add("GET", URL + found["path"], json=found["body"])
    assert "hunter2x" not in repr(rest.connectors())


def test_an_unknown_connector_is_a_refusal_with_the_next_command(web, rest) -> None:
    """404 says what to look at."""
    put(web, "unknown-connector", "GET", "/connectors/nope/offsets")
    with pytest.raises(Refused) as caught:
        rest.offsets("nope")
    assert (caught.value.code, "nope not found" in str(caught.value)) == ("CON002", True)
    assert "figbridge connectors plan" in caught.value.hint


def test_each_wrong_field_is_named(web, rest) -> None:
    """A 400 tells what is wrong and not where; the client asks again in the way that names the fields."""
    put(web, "create-invalid", "PUT", "/connectors/rec-bad/config")
    put(web, "validate", path="/connector-plugins/PostgresConnector/config/validate")
    with pytest.raises(Refused) as caught:
        rest.configure("rec-bad", {"connector.class": "PostgresConnector"})
    assert caught.value.code == "CON004"
    assert "snapshot.mode: The 'snapshot.mode' value is invalid" in str(caught.value)


def test_validation_says_what_connect_knows_and_what_is_wrong(web, rest) -> None:
    """Settings that are unknown are those that it does not list."""
    put(web, "validate", path="/connector-plugins/PostgresConnector/config/validate")
    known, faults = rest.validate({"connector.class": "PostgresConnector"})
    assert {"slot.name", "tasks.max", "transforms.one.regex"} <= known
    assert "heartbeat.intervall.ms" not in known
    assert [f.setting for f in faults] == ["snapshot.mode"]


def test_a_file_of_secrets_that_is_missing_is_named(web, rest) -> None:
    """Connect answers 500; it is no defect of its own."""
    path = answer("validate-no-file")["path"]
    put(web, "validate-no-file")
    assert path == "/connector-plugins/PostgresConnector/config/validate"
    with pytest.raises(Refused, match=r"/run/secrets/none\.properties") as caught:
        rest.validate({"connector.class": "PostgresConnector"})
    assert caught.value.code == "CON037"


def test_a_rebalance_is_waited_for(web, rest) -> None:
    """409 means: ask again."""
    for _ in range(2):
        web.add("PUT", f"{URL}/connectors/x/pause", json=REBALANCING, status=409)
    web.add("PUT", f"{URL}/connectors/x/pause", status=202)
    rest.pause("x")
    assert len(web.calls) == 3


def test_a_rebalance_that_does_not_end_is_told(web, rest) -> None:
    """After the time the answer is one sentence."""
    web.add("PUT", f"{URL}/connectors/x/pause", json=REBALANCING, status=409)
    with pytest.raises(Unreachable, match="rebalancing") as caught:
        rest.pause("x")
    assert caught.value.code == "CON003"
    assert len(web.calls) > 1


def test_a_name_that_is_taken_is_no_rebalance(web, rest) -> None:
    """The same 409 for another reason is told at once."""
    put(web, "create-twice")
    with pytest.raises(Refused, match="already exists") as caught:
        rest.create("rec-missing", {"connector.class": "PostgresConnector"})
    assert (caught.value.code, len(web.calls)) == ("CON009", 1)


def test_offsets_of_a_running_connector_are_refused(web, rest) -> None:
    """Connect's own words are passed on."""
    put(web, "offsets-running", "DELETE", "/connectors/x/offsets")
    with pytest.raises(Refused, match="STOPPED"):
        rest.forget_offsets("x")


def test_a_failure_inside_connect_is_not_a_refusal(web, rest) -> None:
    """5xx may pass by itself."""
    web.add("GET", f"{URL}/connector-plugins", json={"error_code": 500, "message": "Request timed out"}, status=500)
    with pytest.raises(OperationalError, match="Request timed out") as caught:
        rest.plugins()
    assert (caught.value.code, type(caught.value)) == ("CON005", OperationalError)


@pytest.mark.parametrize("status", [401, 403])
def test_an_account_that_is_refused_is_told(web, rest, status: int) -> None:
    """The hint names the settings."""
    web.add("GET", f"{URL}/connector-plugins", body="<html>no</html>", status=status)
    with pytest.raises(Refused) as caught:
        rest.plugins()
    assert (caught.value.code, "connect.user" in caught.value.hint) == ("CON008", True)


def test_what_is_not_connect_is_recognised(web, rest) -> None:
    """A page, or a redirect, is no answer of Connect's; no redirect is followed."""
    web.add("GET", f"{URL}/connector-plugins", body="<html>hello</html>")
    with pytest.raises(Unreachable, match="not Kafka Connect"):
        rest.plugins()
    web.replace("GET", f"{URL}/connector-plugins", status=302, headers={"Location": "http://elsewhere/"})
    with pytest.raises(Unreachable, match="sends elsewhere"):
        rest.plugins()
    assert {c.request.url for c in web.calls} == {f"{URL}/connector-plugins"}


def test_nobody_there_is_one_sentence() -> None:
    """A port that nobody listens on: on this computer there is none at 1."""
    client = ConnectRest("http://127.0.0.1:1")
    with pytest.raises(Unreachable, match="nothing listens there") as caught:
        client.connectors()
    assert caught.value.code == "CON001"
    client.close()


def test_a_connector_is_made_stopped(web, rest) -> None:
    """What an earlier one left is looked at before it runs."""
    web.add("POST", f"{URL}/connectors", status=201, json={})
    rest.create("x", {"connector.class": "C"})
    body = json.loads(web.calls[0].request.body)
    assert body == {"name": "x", "config": {"connector.class": "C"}, "initial_state": "STOPPED"}


def test_no_proxy_and_no_account_of_the_surroundings_is_used(rest, monkeypatch) -> None:
    """A variable that somebody set for another purpose must not lead a password elsewhere."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    session = rest._session
    assert session.trust_env is False
    assert isinstance(session, requests.Session)


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        ("", ""),
        ("org.a.ConnectException: Task\n\tat a.b\nCaused by: io.d.DebeziumException: the slot is gone\n\t... 6 more",
         "the slot is gone"),
        ("a.b.C: outer\nCaused by: java.lang.NullPointerException\n\tat x", "NullPointerException"),
        ("a.b.C: a.b.D: inner text", "inner text"),
        ("plain words", "plain words"),
        ("a.b.C: one\nCaused by: a.b.E: FATAL: password authentication failed for user \"x\"",
         'FATAL: password authentication failed for user "x"'),
    ],
)  # fmt: skip
def test_the_innermost_reason_comes_first(trace: str, said: str) -> None:
    """Of a trace of a hundred lines one says why."""
    assert cause(trace) == said
