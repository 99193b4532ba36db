"""Check what Connect does not: it starts a connector on a table that is not there, and takes unknown settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from figbridge.domain.connector import Kind, LiveTable, Wanted
from figbridge.errors import Finding, Place
from figbridge.operations.connectors.plan import Plan
from figbridge.operations.connectors.site import Site
from figbridge.ports import FieldFault

# Connect's own answer leaves these out: they are read by what it loads later, or the list of a plugin lacks them
# although its code reads them.
_LOADED_LATER: Final = re.compile(
    r"(schema\.history\.internal|signal|notification|topic\.creation|driver|producer\.override|admin\.override"
    r"|(key|value|header)\.converter|offset\.mismatch\.strategy|read\.only|event\.converting\.failure\.handling\.mode)(\.|$)"
)
_SIGNAL_COLUMNS: Final = {"id", "type", "data"}
_BREAKS_THE_PARSER: Final = ("inet4", "inet6")
_ADDRESS: Final = "database.hostname"


def check(site: Site, plan: Plan, names: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return everything that would make `apply` end in a connector that fails, or worse: one that seems to run.

    Checked are the connectors named, or all; only a connector that would be created or changed, when none is named.
    """
    chosen = set(names)
    touched = {c.name for c in plan.changes}
    wanted = [w for w in site.wanted if w.capture.name in chosen or (not chosen and w.capture.connector in touched)]
    found = list(_topics(plan, site))
    if wanted:
        classes = {p.name for p in site.connect.plugins() if p.kind == "source"}
        for each in wanted:
            found += _configuration(site, each, classes)
            found += _database(site, each)
    return tuple(sorted(found))


def _topics(plan: Plan, site: Site) -> Iterator[Finding]:
    files = {t.name: w.file for w in site.wanted for t in w.capture.topics}
    for change in plan.conflicts:
        for setting in change.settings:
            text = f"the topic {change.name} has {setting.setting} {setting.old}, not {setting.new}"
            yield Finding(Place(files[change.name]), "CON017", text, change.note)


def _configuration(site: Site, wanted: Wanted, classes: set[str]) -> Iterator[Finding]:
    place, kind = Place(wanted.file), wanted.config["connector.class"]
    if kind not in classes:
        hint = f"the workers have {', '.join(sorted(classes)) or 'none'}: figbridge connectors plugins"
        yield Finding(place, "CON006", f"no worker has the connector {kind}", hint)
        return
    known, faults = site.connect.validate(wanted.config)
    for fault in faults:
        yield Finding(place, "CON004", f"{fault.setting}: {_sentence(fault)}", _hint(fault))
    for name in wanted.config:
        if name not in known and not _LOADED_LATER.match(name):
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "figbridge connectors plugins shows the versions"
            yield Finding(place, "CON013", f"{kind.rpartition('.')[2]} does not know the setting `{name}`", hint)


def _sentence(fault: FieldFault) -> str:
    return " ".join(fault.message.split())


def _hint(fault: FieldFault) -> str:
    if fault.setting == _ADDRESS:
        return "Connect says so too when the port, the database, the account or the password is wrong"
    return ""


def _database(site: Site, wanted: Wanted) -> Iterator[Finding]:
    capture, place = wanted.capture, Place(wanted.file)
    database = site.database(wanted)
    if database is None:
        text = f"the tables of {capture.name} cannot be checked: figbridge has no account for that database"
        hint = "set `sources` in the settings, or take the risk with --unchecked"
        yield Finding(place, "CON018", text, hint)
        return
    signals = [capture.signal_table] if capture.signal_table else []
    live = database.tables([*capture.tables, *signals])
    for name in capture.tables:
        yield from _table(wanted, name, live.get(name))
    for name in signals:
        missing = _SIGNAL_COLUMNS - {c.name for c in live[name].columns} if name in live else _SIGNAL_COLUMNS
        if missing:
            text = (
                f"the signal table {name} has no {', '.join(sorted(missing))}" if name in live else f"no table {name}"
            )
            made = f"CREATE TABLE {name} (id varchar(64) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))"
            yield Finding(place, "CON014", text, made)


def _table(wanted: Wanted, name: str, table: LiveTable | None) -> Iterator[Finding]:
    capture, place = wanted.capture, Place(wanted.file)
    if table is None:
        hint = "mind the schema and the spelling in mappings/; the account may be allowed to see nothing of it"
        yield Finding(place, "CON014", f"the database has no table {name}", hint)
        return
    have = {c.name: c for c in table.columns}
    for column in capture.columns.get(name, ()):
        if column not in have:
            yield Finding(place, "CON015", f"{name} has no column {column}", "figbridge mapping lint")
    if capture.kind is Kind.MARIADB:
        for each in have.values():
            if each.type.lower().startswith(_BREAKS_THE_PARSER):
                text = f"{name}.{each.name} is {each.type}: Debezium's parser stops at it"
                yield Finding(
                    place, "CON027", text, "take the column out of the table, or the table out of the mappings"
                )
