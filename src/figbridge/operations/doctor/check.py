"""A check and what it finds. A check that cannot be made is a finding: unknown is never green."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from figbridge.domain.connector import Kind
from figbridge.domain.preflight import Unknown
from figbridge.errors import FigbridgeError
from figbridge.operations.doctor.scene import Scene

BOTH: Final = frozenset(Kind)
POSTGRES: Final = frozenset({Kind.POSTGRES})
MARIADB: Final = frozenset({Kind.MARIADB})


class State(Enum):
    """Say how a check ended."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It could not be made; a finding."""
    NOT_ASKED = "not asked"
    """It reads whole tables, and nobody asked for that; no finding, and not fine either."""
    ACCEPTED = "accepted"
    """It is wrong or unknown, and somebody said that it may be."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found about one thing. `fields` fill the placeholders of the check's fix."""

    about: str
    ok: bool
    found: str
    fields: dict[str, Any] = field(default_factory=dict)


def fine(about: str, found: str) -> Found:
    """Return what is as it must be."""
    return Found(about, ok=True, found=found)


def wrong(about: str, found: str, fields: dict[str, Any] | None = None) -> Found:
    """Return what is not as it must be."""
    return Found(about, ok=False, found=found, fields=fields or {})


class NotAsked(Exception):
    """The check reads whole tables, and nobody asked for that."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the catalogue: what is looked at, what it must be, why it matters, and how it is mended.

    `fix` is a command or statement; `{table}`, `{topic}` and their like are filled with what was found.
    """

    code: str
    what: str
    must: str
    why: str
    fix: str
    kinds: frozenset[Kind]
    look: Callable[[Scene], Iterable[Found]]
    connect: bool = False
    """Only where a Kafka Connect cluster is set: the embedded engine has no such thing."""
    scans: bool = False
    """It reads whole tables, so only when somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended for one thing of one source."""

    source: str
    code: str
    state: State
    about: str
    what: str
    found: str
    must: str
    why: str
    fix: str

    @property
    def is_finding(self) -> bool:
        """Say whether a person must look at it."""
        return self.state in (State.WRONG, State.UNKNOWN)


def examined(check: Check, scene: Scene) -> Iterator[Result]:
    """Make one check of one source; a check never fails, it ends unknown."""
    made = 0
    try:
        for found in check.look(scene):
            made += 1
            yield _result(check, scene, found)
    except Unknown as unknown:
        yield _without(check, scene, State.UNKNOWN, f"could not be checked: {unknown}")
    except NotAsked:
        yield _without(check, scene, State.NOT_ASKED, "reads whole tables: ask for it with --scan")
    except FigbridgeError as error:
        yield _without(check, scene, State.UNKNOWN, f"could not be checked: {error.message}")
    else:
        if not made:  # nothing of this kind is there, so nothing of it is wrong
            yield _without(check, scene, State.OK, "there is none")


def applies(check: Check, scene: Scene) -> bool:
    """Say whether a check is about this kind of source."""
    return scene.patient.kind in check.kinds and (scene.connected or not check.connect)


def _result(check: Check, scene: Scene, found: Found) -> Result:
    state = State.OK if found.ok else State.WRONG
    fix = "" if found.ok else check.fix.format_map(_Fields(scene.fields | found.fields | {"about": found.about}))
    return Result(
        scene.patient.name, check.code, state, found.about, check.what, found.found, check.must, check.why, fix
    )


def _without(check: Check, scene: Scene, state: State, found: str) -> Result:
    fix = "figbridge doctor --scan" if state is State.NOT_ASKED else ""
    if state is State.UNKNOWN:
        fix = "see docs/doctor.md#what-cannot-be-checked"
    return Result(scene.patient.name, check.code, state, "", check.what, found, check.must, check.why, fix)


class _Fields(dict[str, Any]):
    """Leave a placeholder that nothing fills as it stands."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
