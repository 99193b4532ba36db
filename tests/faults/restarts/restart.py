"""Start a connector again, in the three ways in which it happens, at a place inside a transaction."""

from __future__ import annotations

import requests
from confluent_kafka import Producer

from faults.restarts.patience import ask, until
from faults.restarts.place import Place
from faults.restarts.topics import Topic
from figbridge.sandbox.worker import GROUP

KINDS = ("REST restart", "stop and resume", "kill -9")


class Inside:
    """See how far the transaction in work has come, by rows that are not committed yet."""

    def __init__(self, place: Place, mark: str) -> None:
        self._topic = Topic(place.servers.bootstrap, f"{place.name}.legacy.log", committed=False, at_end=True)
        self._sign = f'"after":{{"item_cd":"{mark}-'.encode()
        self.rows = 0

    def reached(self, rows: int) -> bool:
        """Say whether so many rows under new keys were sent; what was sent in vain counts, too."""
        for message in self._topic.more():
            self.rows += self._sign in (message.value() or b"")
            if self.rows >= rows:
                return True
        return self.rows >= rows

    def close(self) -> None:
        """Look no more."""
        self._topic.close()


def restart(place: Place, kind: str) -> None:
    """Start a connector again, and return when it is asked to run."""
    match kind:
        case "REST restart":
            ask("post", f"{place.connector}/restart?includeTasks=true")
        case "stop and resume":
            ask("put", f"{place.connector}/stop")
            until(lambda: _status(place) == "STOPPED", "the connector stops", 0.1)
            ask("put", f"{place.connector}/resume")
        case "kill -9":
            place.servers.box.server("connect-1").kill()
            _end_its_transaction(place)
            place.servers.box.up()


def _end_its_transaction(place: Place) -> None:
    """Take over the transactional id of the task that was killed: the next worker would wait a minute for the broker
    to end its transaction, and takes the id over in the same way."""
    taken = Producer({
        "bootstrap.servers": place.servers.bootstrap, "transactional.id": f"{GROUP}-{place.name}-legacy-0",
        "log_level": 0,
    })  # fmt: skip
    taken.init_transactions(60)


def _status(place: Place) -> str:
    found = requests.get(f"{place.connector}/status", timeout=60).json()
    return "" if found.get("tasks", True) else str(found["connector"]["state"])
