"""Meet the brokers before anything is asked of them: whoever is not let in is told why, at once and in one sentence.

librdkafka tries for ever. A wrong password, or a certificate that has expired, looks to the calls that wait for it
like brokers that are down; only its error callback hears more (docs/troubleshooting.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from figbridge.adapters.kafka.door import Trouble, trouble_at
from figbridge.adapters.kafka.failures import error_of, refused
from figbridge.domain.secret import is_secret
from figbridge.errors import ConfigurationError, Finding, Place, Refused, Unreachable

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
        seen = [trouble_at(server, settings) for server in servers.split(",")]
        over = monotonic() > deadline
        if (why_not := _refusal(servers, heard, seen, over=over)) is not None:
            raise why_not
        if over:
            why = next((t for t in seen if t), Trouble("no answer", "check kafka.servers and kafka.security"))
            raise Unreachable(f"Kafka at {servers} does not answer: {why.says}", hint=why.hint, code=code)


def refusal(settings: Mapping[str, Any]) -> Refused | None:
    """Return why no broker lets this account in any more; None when one does, or nobody can say."""
    try:
        greet(settings, _LOOK_S)
    except Refused as why:
        return why
    except Unreachable:
        return None
    return None


def _refusal(
    servers: str, heard: Sequence[KafkaError], seen: Sequence[Trouble | None], *, over: bool
) -> Refused | None:
    """Return why waiting does not help, if it does not. A broker of which nothing bad is known, or that is only down,
    may answer yet: it is waited for until the time is `over`."""
    unsafe = "Kafka cannot be reached safely"
    known = [trouble for trouble in seen if trouble is not None and trouble.lasting]
    for error in heard:
        words = _AROUND.sub("", error.str())
        if error.code() == KafkaError._AUTHENTICATION:
            return refused(f"Kafka at {servers} refuses the account: {words}", "KAF005")
        if error.code() == KafkaError._SSL and not known:
            return refused(f"{unsafe}: {words}", "KAF007")
    if known and (over or len(known) == len(seen)):
        return refused(f"{unsafe}: {known[0].says}", "KAF007", known[0].hint)
    return None
