"""How a MariaDB server must be set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from figbridge.domain.preflight import Unknown
from figbridge.operations.doctor.check import MARIADB, Check, Found
from figbridge.operations.doctor.scene import Scene


def _is(name: str, wanted: str) -> Callable[[Scene], Iterator[Found]]:
    def look(scene: Scene) -> Iterator[Found]:
        value = scene.facts.named("variables", name)
        yield Found(name, value.upper() == wanted, value)

    return look


def _is_where_known(name: str, wanted: str) -> Callable[[Scene], Iterator[Found]]:
    def look(scene: Scene) -> Iterator[Found]:
        value = scene.facts.optional("variables", name)
        if value is not None:
            yield Found(name, value.upper() == wanted, value or "empty")

    return look


def _positions(scene: Scene) -> Iterator[Found]:
    version = scene.facts.named("variables", "version")
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None:
        raise Unknown(f"the version is {version}")
    value = scene.facts.optional("variables", "binlog_legacy_event_pos")
    if (int(found[1]), int(found[2])) >= (11, 4):
        yield Found("binlog_legacy_event_pos", value in ("1", "ON"), value or "not set")


def _server_id(scene: Scene) -> Iterator[Found]:
    mine, its = scene.facts.named("variables", "server_id"), scene.cluster.wanted.capture.server_id
    fine = mine not in ("0", str(its))
    yield Found("server_id", fine, mine if fine else f"{mine}; the connector has {its}")


CHECKS = (
    Check(
        "PRE030", "the binlog", "log_bin is ON", "Without it there is nothing that a connector could read.",
        "log_bin = binlog   # in the server's file, then restart it", MARIADB, _is("log_bin", "ON"),
    ),
    Check(
        "PRE031", "binlog_format", "ROW", "A statement in the log does not say which rows it changed.",
        "SET GLOBAL binlog_format = 'ROW'; -- and in the server's file; sessions keep theirs until they reconnect",
        MARIADB, _is("binlog_format", "ROW"),
    ),
    Check(
        "PRE032", "binlog_row_image", "FULL",
        "Less leaves the old row out, so a transition cannot be seen, and unchanged columns of the new one.",
        "SET GLOBAL binlog_row_image = 'FULL'; -- and in the server's file; sessions keep theirs until they reconnect",
        MARIADB, _is("binlog_row_image", "FULL"),
    ),
    Check(
        "PRE033", "binlog_row_value_options", "empty, where the server has it",
        "PARTIAL_JSON writes only what changed inside a document.",
        "SET GLOBAL binlog_row_value_options = '';", MARIADB, _is_where_known("binlog_row_value_options", ""),
    ),
    Check(
        "PRE034", "GTIDs", "gtid_strict_mode is ON",
        "A transaction's id is its GTID: without strict mode two could have one, or stand out of order.",
        "SET GLOBAL gtid_strict_mode = ON; -- and in the server's file", MARIADB, _is("gtid_strict_mode", "ON"),
    ),
    Check(
        "PRE035", "binlog_legacy_event_pos", "1, from MariaDB 11.4 on",
        "The server leaves the place out of its events, and the connector cannot go on where it was.",
        "SET GLOBAL binlog_legacy_event_pos = 1; -- and in the server's file", MARIADB, _positions,
    ),
    Check(
        "PRE036", "log_bin_compress", "OFF", "Debezium does not read compressed events.",
        "SET GLOBAL log_bin_compress = OFF; -- and in the server's file", MARIADB, _is("log_bin_compress", "OFF"),
    ),
    Check(
        "PRE037", "server ids", "the server's is not 0, and not the connector's",
        "Two readers with one id throw each other off.",
        "server_id: 4711   # another number, in connect/{source}.yaml", MARIADB, _server_id, connect=True,
    ),
)  # fmt: skip
