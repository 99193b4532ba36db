"""What a live connector must be told, setting by setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from figbridge.domain.connector import Kind
from figbridge.operations.doctor.check import BOTH, Check, Found
from figbridge.operations.doctor.scene import Scene

_APPLY: Final = "figbridge connectors apply"


_PLACEHOLDER: Final = "__debezium_unavailable_value"


_JSON: Final = "org.apache.kafka.connect.json.JsonConverter"


_ROUTER: Final = "org.apache.kafka.connect.transforms.RegexRouter"


def _set(**wanted: str) -> Callable[[Scene], Iterator[Found]]:
    """Make the look for settings that must be written exactly so: Debezium's defaults are other ones."""

    def look(scene: Scene) -> Iterator[Found]:
        config = scene.cluster.config
        for name, value in wanted.items():
            setting = name.replace("_", ".")
            found = config.get(setting)
            yield Found(setting, found == value, found or "not set")

    return look


def _absent(**default: str) -> Callable[[Scene], Iterator[Found]]:
    """Make the look for settings that must stay at their default."""

    def look(scene: Scene) -> Iterator[Found]:
        config = scene.cluster.config
        for name, value in default.items():
            setting = name.replace("_", ".")
            found = config.get(setting, value)
            yield Found(setting, found == value, found or "not set")

    return look


def _times(scene: Scene) -> Iterator[Found]:
    wanted = "adaptive" if scene.patient.kind is Kind.POSTGRES else "adaptive_time_microseconds"
    found = scene.cluster.config.get("time.precision.mode")
    yield Found("time.precision.mode", found == wanted, found or "not set")


def _transforms(scene: Scene) -> Iterator[Found]:
    config = scene.cluster.config
    names = [n.strip() for n in config.get("transforms", "").split(",") if n.strip()]
    kinds = [config.get(f"transforms.{name}.type", "") for name in names]
    target = config.get(f"transforms.{names[0]}.replacement", "").replace("\\", "") if names else ""
    told = ", ".join(kind.rpartition(".")[2] for kind in kinds) or "none"
    fine = kinds == [_ROUTER] and target == scene.patient.log
    yield Found("transforms", fine, told + (f" to {target}" if kinds == [_ROUTER] else ""))
    yield Found("predicates", not config.get("predicates"), config.get("predicates") or "none")


def _converters(scene: Scene) -> Iterator[Found]:
    config = scene.cluster.config
    for part in ("key", "value", "header"):
        wanted = {"": _JSON, ".schemas.enable": "false", ".replace.null.with.default": "false"}
        for name, value in wanted.items():
            setting = f"{part}.converter{name}"
            found = config.get(setting)
            yield Found(setting, found == value, found or "not set")


CHECKS = (
    Check(
        "PRE051", "transaction markers", "provide.transaction.metadata is true",
        "Without END nobody knows when a transaction is whole, and nothing is ever published.",
        _APPLY, BOTH, _set(provide_transaction_metadata="true"), connect=True,
    ),
    Check(
        "PRE052", "tombstones", "tombstones.on.delete is false",
        "In a log that is never compacted a tombstone says nothing, and it is not counted in END.",
        _APPLY, BOTH, _set(tombstones_on_delete="false"), connect=True,
    ),
    Check(
        "PRE053", "decimals", "decimal.handling.mode is string",
        "`double` loses cents, `precise` needs a schema and drops trailing zeros.",
        _APPLY, BOTH, _set(decimal_handling_mode="string"), connect=True,
    ),
    Check(
        "PRE054", "times", "time.precision.mode is adaptive on PostgreSQL, adaptive_time_microseconds on MariaDB",
        "Other modes cut microseconds, or write a wall clock as if it were UTC.", _APPLY, BOTH, _times, connect=True,
    ),
    Check(
        "PRE055", "the mark of a missing value", "unavailable.value.placeholder is Debezium's own",
        "A mark that the bridge does not know would be published as a value.",
        _APPLY, BOTH, _absent(unavailable_value_placeholder=_PLACEHOLDER), connect=True,
    ),
    Check(
        "PRE056", "values that cannot be converted",
        "event.converting.failure.handling.mode and event.processing.failure.handling.mode are fail",
        "By default such a value becomes null, with a line in a log that nobody reads.", _APPLY, BOTH,
        _set(event_converting_failure_handling_mode="fail", event_processing_failure_handling_mode="fail"),
        connect=True,
    ),
    Check(
        "PRE057", "skipped operations", "skipped.operations is none",
        "By default a TRUNCATE is left out, and the rows stay known for ever.",
        _APPLY, BOTH, _set(skipped_operations="none"), connect=True,
    ),
    Check(
        "PRE058", "keys of records", "message.key.columns is not set",
        "A key outside the primary key is invented when a row is deleted.",
        _APPLY, BOTH, _absent(message_key_columns=""), connect=True,
    ),
    Check(
        "PRE059", "transforms", "one RegexRouter onto the source log, and no predicates",
        "A filter makes transactions incomplete for ever; a flattened record has no old row.",
        _APPLY, BOTH, _transforms, connect=True,
    ),
    Check(
        "PRE060", "converters", "JSON without schemas for key, value and headers, replace.null.with.default false",
        "By default a null becomes the column's default: a value that nobody wrote.", _APPLY, BOTH, _converters,
        connect=True,
    ),
    Check(
        "PRE061", "errors", "errors.tolerance is none", "`all` acknowledges what cannot be sent, and skips it.",
        _APPLY, BOTH, _set(errors_tolerance="none"), connect=True,
    ),
    Check(
        "PRE062", "exactly once", "exactly.once.support is required, transaction.boundary is poll",
        "Without it a worker that dies leaves records twice.",
        _APPLY, BOTH, _set(exactly_once_support="required", transaction_boundary="poll"), connect=True,
    ),
)  # fmt: skip
