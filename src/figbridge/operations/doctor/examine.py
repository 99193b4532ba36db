"""Examine every source: look at its database and its surroundings once, then make every check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from figbridge.domain.connector import Kind, Wanted
from figbridge.domain.preflight import Facts, Patient
from figbridge.errors import FigbridgeError, Refused
from figbridge.mapping.compiler import Plan
from figbridge.mapping.rules_types import Tables
from figbridge.operations.connectors.look import status
from figbridge.operations.connectors.site import Site
from figbridge.operations.doctor.catalogue import CATALOGUE
from figbridge.operations.doctor.check import Result, State, applies, examined
from figbridge.operations.doctor.scene import Cluster, Limits, Scene
from figbridge.ports import Preflight


@dataclass(frozen=True)
class Clinic:
    """The sources, and what can be asked about them."""

    patients: tuple[Patient, ...]
    plan: Plan
    recorded: Mapping[Kind, Tables | None]
    """The tables as the files beside the mappings have them, by the kind of database."""
    databases: Mapping[str, Preflight] = field(default_factory=dict)
    """Source → its database, for those that figbridge has an account for."""
    site: Site | None = None
    """Connect and the brokers; None where the embedded engine carries the sources."""
    log_partitions: Mapping[str, int] = field(default_factory=dict)
    """Source log → partitions, in the embedded log."""


@dataclass(frozen=True, slots=True)
class Report:
    """Every check of every source, in the order of the catalogue."""

    results: tuple[Result, ...]

    @property
    def findings(self) -> tuple[Result, ...]:
        """Return what a person must look at."""
        return tuple(r for r in self.results if r.is_finding)

    def count(self, state: State) -> int:
        """Return how many checks ended so."""
        return sum(r.state is state for r in self.results)


def examine(
    clinic: Clinic,
    limits: Limits,
    say: Callable[[str], None],
    *,
    scan: bool = False,
    accepted: Iterable[str] = (),
) -> Report:
    """Make every check of every source; nothing is changed anywhere.

    `accepted` are codes, or `CODE=about`, that are told and are no findings. Raises Refused for a code that no check
    has.
    """
    accepts = frozenset(accepted)
    unknown = sorted(a for a in accepts if a.partition("=")[0] not in {c.code for c in CATALOGUE})
    if unknown:
        raise Refused(f"no check has the code {', '.join(unknown)}", hint="docs/doctor.md has them all", code="PRE101")
    results = [
        _accepted(r, accepts) for patient in clinic.patients for r in _examined(clinic, patient, limits, say, scan)
    ]
    return Report(tuple(results))


def _examined(
    clinic: Clinic,
    patient: Patient,
    limits: Limits,
    say: Callable[[str], None],
    scan: bool,  # noqa: FBT001 — a flag's value
) -> Iterator[Result]:
    say(f"{patient.name}: looking at its database")
    database = clinic.databases.get(patient.name)
    facts = Facts(why="figbridge has no account for that database: set `sources` in the settings")
    if database is not None:
        facts = database.facts(patient)
    scene = Scene(
        patient=patient,
        facts=facts,
        plan=clinic.plan,
        recorded=clinic.recorded.get(patient.kind),
        limits=limits,
        connected=clinic.site is not None,
        log_partitions=clinic.log_partitions.get(patient.log),
        scanned=database if scan else None,
    )
    if clinic.site is not None:
        say(f"{patient.name}: looking at its connector and topics")
        scene = _with_cluster(scene, clinic.site)
    checks = [check for check in CATALOGUE if applies(check, scene)]
    for number, check in enumerate(checks, start=1):
        if scan and check.scans:
            say(f"{patient.name}: reading whole tables for {check.code} {check.what} ({number} of {len(checks)})")
        yield from examined(check, scene)


def _with_cluster(scene: Scene, site: Site) -> Scene:
    """Add what Connect and the brokers say, or why they do not: a doctor reports, it does not fail."""
    wanted = site.named(scene.patient.name)
    try:
        return replace(scene, reached=_cluster(site, wanted))
    except FigbridgeError as error:
        return replace(scene, unreached=error.message)


def _cluster(site: Site, wanted: Wanted) -> Cluster:
    name = wanted.capture.connector
    live = site.connect.connectors()
    (state,) = status(site, (wanted,))
    there = name in live
    return Cluster(
        wanted=wanted,
        live=live.get(name),
        status=state,
        offset=site.connect.offsets(name) if there else None,
        written=site.connect.topics(name) if there else (),
        plugins=site.connect.plugins(),
        topics=site.broker.look(t.name for t in wanted.capture.topics),
        others=live,
    )


def _accepted(result: Result, accepts: frozenset[str]) -> Result:
    if result.is_finding and (result.code in accepts or f"{result.code}={result.about}" in accepts):
        return replace(result, state=State.ACCEPTED)
    return result
