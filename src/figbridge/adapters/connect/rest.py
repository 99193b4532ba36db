"""Kafka Connect's REST API: one fixed address, no redirects, and answers that are values or typed errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import requests
import tenacity

from figbridge.adapters.connect.answers import Busy, Invalid, read
from figbridge.adapters.connect.secrets import Scrubber, hide
from figbridge.adapters.connect.trace import cause
from figbridge.domain.connector import Live, Plugin, Task
from figbridge.errors import Refused, Unreachable
from figbridge.ports import FieldFault

_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 95.0  # Connect gives up on its own work, such as a validation, after 90 s


class ConnectRest:
    """Talk to one Connect cluster. Raises Unreachable, Refused or OperationalError, with Connect's own words.

    Secrets that are written out in a live configuration never leave this class.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        password: str = "",
        ca_file: str = "",
        rebalance_s: float = 60.0,
        session: requests.Session | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._session = session or requests.Session()
        self._session.trust_env = False  # no proxy and no .netrc that somebody set for another purpose
        self._session.auth = (user, password) if user else None
        if ca_file:
            self._session.verify = ca_file
        self._scrubber = Scrubber()
        self._again = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Busy),
            wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=3.0, jitter=0.2),
            stop=tenacity.stop_after_delay(rebalance_s),
            reraise=True,
        )
        self._rebalance_s = rebalance_s

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def connectors(self) -> dict[str, Live]:
        """Return every connector with its state, its tasks and its configuration without secrets, in one call."""
        found = self._call("GET", "/connectors?expand=info&expand=status", "list the connectors")
        return {name: self._live(name, each["info"]["config"], each["status"]) for name, each in sorted(found.items())}

    def _live(self, name: str, config: Mapping[str, str], status: Mapping[str, Any]) -> Live:
        self._scrubber.learn(config)
        connector = status["connector"]
        return Live(
            name=name,
            state=connector["state"],
            worker=connector.get("worker_id", ""),
            config=hide(config),
            tasks=tuple(self._task(task) for task in status["tasks"]),
            cause=cause(self._scrubber.clean(connector.get("trace") or "")),
        )

    def _task(self, task: Mapping[str, Any]) -> Task:
        trace = self._scrubber.clean(task.get("trace") or "")
        return Task(task["id"], task["state"], task.get("worker_id", ""), cause(trace), trace)

    def plugins(self) -> tuple[Plugin, ...]:
        """Return the connector classes that the workers have."""
        found = self._call("GET", "/connector-plugins", "list the plugins")
        return tuple(Plugin(p["class"], p.get("version") or "", p["type"]) for p in found)

    def validate(self, config: Mapping[str, str]) -> tuple[frozenset[str], tuple[FieldFault, ...]]:
        """Let Connect check a configuration; return the settings that it knows, and what is wrong with which."""
        path = f"/connector-plugins/{quote(config['connector.class'], safe='')}/config/validate"
        self._scrubber.learn(config)
        found = self._call("PUT", path, "check a configuration", dict(config))
        values = [each["value"] for each in found["configs"]]
        faults = [FieldFault(v["name"], self._scrubber.clean(text)) for v in values for text in v["errors"]]
        return frozenset(v["name"] for v in values), tuple(dict.fromkeys(faults))

    def create(self, name: str, config: Mapping[str, str]) -> None:
        """Create a connector that does not run yet."""
        body = {"name": name, "config": dict(config), "initial_state": "STOPPED"}
        self._tell("POST", "/connectors", f"create {name}", body, config)

    def configure(self, name: str, config: Mapping[str, str]) -> None:
        """Replace the configuration of a connector; its task starts again with it."""
        self._tell("PUT", f"{_path(name)}/config", f"change {name}", dict(config), config)

    def pause(self, name: str) -> None:
        """Ask a connector to pause: its task stays, and its slot is kept busy."""
        self._call("PUT", f"{_path(name)}/pause", f"pause {name}")

    def resume(self, name: str) -> None:
        """Ask a paused or stopped connector to go on."""
        self._call("PUT", f"{_path(name)}/resume", f"resume {name}")

    def stop(self, name: str) -> None:
        """Ask a connector to stop: its tasks end, its offsets may be changed."""
        self._call("PUT", f"{_path(name)}/stop", f"stop {name}")

    def restart(self, name: str, *, only_failed: bool) -> None:
        """Ask a connector to start again, with its tasks."""
        chosen = "true" if only_failed else "false"
        self._call("POST", f"{_path(name)}/restart?includeTasks=true&onlyFailed={chosen}", f"restart {name}")

    def delete(self, name: str) -> None:
        """Delete a connector. Its offsets stay."""
        self._call("DELETE", _path(name), f"delete {name}")

    def offsets(self, name: str) -> Mapping[str, Any] | None:
        """Return where a connector goes on, as Debezium wrote it; None when it has not begun."""
        found = self._call("GET", f"{_path(name)}/offsets", f"show the offsets of {name}")["offsets"]
        return found[0]["offset"] if found else None

    def set_offsets(self, name: str, partition: Mapping[str, Any], offset: Mapping[str, Any]) -> None:
        """Set where a stopped connector goes on. Connect accepts nonsense here: check before."""
        body = {"offsets": [{"partition": dict(partition), "offset": dict(offset)}]}
        self._call("PATCH", f"{_path(name)}/offsets", f"set the offsets of {name}", body)

    def forget_offsets(self, name: str) -> None:
        """Make a stopped connector forget where it was."""
        self._call("DELETE", f"{_path(name)}/offsets", f"reset the offsets of {name}")

    def topics(self, name: str) -> tuple[str, ...]:
        """Return the topics that a connector has written to since it was made."""
        return tuple(sorted(self._call("GET", f"{_path(name)}/topics", f"show the topics of {name}")[name]["topics"]))

    def _tell(self, method: str, path: str, what: str, body: Any, config: Mapping[str, str]) -> None:
        """Give Connect a configuration. Its refusal names no field, so it is asked again, in the way that does."""
        try:
            self._call(method, path, what, body)
        except Invalid as error:
            faults = self.validate(config)[1] or tuple(FieldFault("?", text) for text in error.messages)
            said = "; ".join(f"{fault.setting}: {fault.message}" for fault in faults)
            hint = "figbridge connectors validate"
            raise Refused(f"Connect refuses to {what}: {said}", hint=hint, code="CON004") from None

    def _call(self, method: str, path: str, what: str, body: Any = None) -> Any:
        try:
            return self._again(self._once, method, path, what, body)
        except Busy as error:
            raise Unreachable(
                f"Connect has been rebalancing for {self._rebalance_s:.0f} s: {error}",
                hint="look at the workers; try again when their group is stable",
                code="CON003",
            ) from None

    def _once(self, method: str, path: str, what: str, body: Any) -> Any:
        try:
            answer = self._session.request(
                method, self.url + path, json=body, timeout=(_CONNECT_S, _ANSWER_S), allow_redirects=False
            )
        except requests.Timeout:
            raise Unreachable(f"Connect at {self.url} does not answer in time.", hint=_HINT, code="CON001") from None
        except requests.exceptions.SSLError as error:
            text = self._scrubber.clean(str(error))
            raise Unreachable(f"TLS with Connect fails: {text}", hint="check connect.ca_file", code="CON001") from None
        except requests.RequestException as error:
            why = "nothing listens there" if "refused" in str(error) else type(error).__name__
            raise Unreachable(f"Connect at {self.url} does not answer: {why}.", hint=_HINT, code="CON001") from None
        return read(answer, self._scrubber, what)


_HINT: Final = "check connect.url, and that a worker runs"


def _path(name: str) -> str:
    return f"/connectors/{quote(name, safe='')}"
