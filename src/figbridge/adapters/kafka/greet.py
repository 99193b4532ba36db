"""Meet the brokers before anything is asked of them: whoever is not let in is told why, at once and in one sentence.

librdkafka tries for ever. A wrong password, or a certificate that has expired, looks to the calls that wait for it
like brokers that are down; only its error callback hears more (docs/troubleshooting.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from figbridge.adapters.kafka.door import Trouble, trouble_at
from figbridge.adapters.kafka.failures import error_of, refused
from figbridge.domain.secret import is_secret
from figbridge.errors import ConfigurationError, FigbridgeError, Finding, Place, Unreachable

_LOOK_S: Final = 1.0
"""How long one question may take. Within it another broker of the list may have answered."""

_AROUND: Final = re.compile(r"^\w+://\S+?: | \(after \d+ms in state \w+\).*$|: broker's supported mechanisms: $")


def admin(settings: Mapping[str, Any]) -> AdminClient:
    """Return a client with these settings. Raises ConfigurationError, without any secret, for settings that
    librdkafka does not take."""
    try:
        return AdminClient(dict(settings))
    except KafkaException as exception:
        said = error_of(exception).str()
        for name, value in settings.items():
            if is_secret(name) and value:
                said = said.replace(str(value), "(hidden)")
        hint = "see docs/settings.md, and figbridge config show for where each setting comes from"
        raise ConfigurationError([Finding(Place("kafka.security"), "SET023", said, hint)]) from None


def greet(settings: Mapping[str, Any], patience_s: float, code: str = "OPS001") -> None:
    """Wait until a broker answers. Raises Refused (KAF005, KAF007) as soon as it is clear that none will let this
    account in, ConfigurationError for settings that are none, and Unreachable with `code` after `patience_s`."""
    heard: list[KafkaError] = []
    client = admin({**settings, "error_cb": heard.append, "log_level": 0})
    servers = str(settings["bootstrap.servers"])
    deadline = monotonic() + patience_s
    while True:
        try:
            client.list_topics(timeout=min(_LOOK_S, patience_s))
            return
        except KafkaException:
            client.poll(0)
        if (lasting := _lasting(servers, settings, heard)) is not None:
            raise lasting
        if monotonic() > deadline:
            seen = [t for s in servers.split(",") if (t := trouble_at(s, settings)) is not None]
            why = seen[0] if seen else Trouble("no answer", "check kafka.servers and kafka.security")
            raise Unreachable(f"Kafka at {servers} does not answer: {why.says}", hint=why.hint, code=code)


def _lasting(servers: str, settings: Mapping[str, Any], heard: list[KafkaError]) -> FigbridgeError | None:
    """Return why waiting does not help, if it does not."""
    for error in heard:
        if error.code() == KafkaError._AUTHENTICATION:
            return refused(f"Kafka at {servers} refuses the account: {_AROUND.sub('', error.str())}", "KAF005")
    seen = [trouble_at(server, settings) for server in servers.split(",")]
    known = [t for t in seen if t is not None and t.lasting]
    if known:  # a port that is well, or about which nobody can say anything, may answer yet
        return (
            None
            if None in seen
            else refused(f"Kafka cannot be reached safely: {known[0].says}", "KAF007", known[0].hint)
        )
    for error in heard:
        if error.code() == KafkaError._SSL:
            return refused(f"Kafka cannot be reached safely: {_AROUND.sub('', error.str())}", "KAF007")
    return None
