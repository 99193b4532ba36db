"""Read connector documents: every finding of every file at once, each with its line and column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from figbridge.domain.connector import Kind
from figbridge.domain.secret import is_reference, is_secret
from figbridge.errors import Place
from figbridge.mapping.connect.document import ConnectorForm, milliseconds
from figbridge.mapping.nodes import Findings, MapNode, Scalar
from figbridge.mapping.parse_form import validate
from figbridge.mapping.parse_yaml import read_nodes, read_text

_PORTS: Final = {Kind.POSTGRES: 5432, Kind.MARIADB: 3306}


@dataclass(frozen=True)
class ConnectorDocument:
    """One connector document, checked by itself."""

    name: str
    kind: Kind
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    retention_ms: int
    replicas: int
    servers: str
    client: Mapping[str, str]
    heartbeat_ms: int
    snapshot: str
    all_columns: bool
    signals: str
    server_id: int
    streams: Mapping[str, tuple[Scalar, ...]]
    more: Mapping[Scalar, str]
    tls: str
    tls_ca: str
    place: Place


def parse_connector(text: str, file: str = "connector.yaml") -> ConnectorDocument:
    """Read one document from text; raises ConfigurationError with every finding."""
    findings = Findings()
    root = read_nodes(text, file, findings)
    document = None if root is None else _document(root, findings)
    findings.check()
    assert document is not None, "a document without findings has a value"
    return document


def load_connectors(directory: Path) -> tuple[ConnectorDocument, ...]:
    """Read every document of a directory, sorted by file; raises ConfigurationError with every finding."""
    findings = Findings()
    if not directory.is_dir():
        findings.add(Place(str(directory)), "YAML001", "there is no such directory", "name it with --connect")
    found: list[ConnectorDocument] = []
    for path in sorted(directory.glob("*.yaml")):
        text = read_text(path, findings)
        root = None if text is None else read_nodes(text, str(path), findings)
        document = None if root is None else _document(root, findings)
        if document is None:
            continue
        first = next((each for each in found if each.name == document.name), None)
        if first is not None:
            hint = f"the first is {first.place.file}"
            findings.add(document.place, "NAME009", f"two connectors are named `{document.name}`", hint)
        found.append(document)
    if not found and not len(findings):
        findings.add(Place(str(directory)), "CON020", "there is no connector document", "write connect/legacy.yaml")
    findings.check()
    return tuple(found)


def _document(root: MapNode, findings: Findings) -> ConnectorDocument | None:
    form, _ = validate(ConnectorForm, root, findings)
    if form is None:
        return None
    before = len(findings)
    kind = Kind(str(form.database.kind))
    _check_secrets(form, findings)
    _check_kind(form, kind, findings)
    if len(findings) > before:
        return None
    database, tls = form.database, form.database.tls
    return ConnectorDocument(
        name=str(form.connector),
        kind=kind,
        host=str(database.host),
        port=database.port or _PORTS[kind],
        database=str(database.name),
        user=str(database.user),
        password=str(database.password),
        retention_ms=milliseconds(form.log.retention),
        replicas=form.log.replicas or -1,
        servers=str(form.kafka.servers),
        client={str(name): str(value) for name, value in form.kafka.client.items()},
        heartbeat_ms=milliseconds(form.heartbeat),
        snapshot=str(form.snapshot),
        all_columns=form.columns == "all",
        signals=str(form.signals),
        server_id=form.server_id,
        streams={str(name): tuple(mappings) for name, mappings in form.streams.items()},
        more={name: str(value) for name, value in form.more.items()},
        tls=str(tls.mode) if tls else "",
        tls_ca=str(tls.ca) if tls else "",
        place=form.place,
    )


def _check_secrets(form: ConnectorForm, findings: Findings) -> None:
    """Refuse a secret that is written out: the file is in git, and Connect shows it to whoever asks."""
    secrets = [("password", form.database.password)]
    secrets += [(n, v) for group in (form.kafka.client, form.more) for n, v in group.items() if is_secret(n)]
    for name, value in secrets:
        if not is_reference(value):
            hint = "write ${file:/path/on/the/worker:key}"
            findings.add(value.place, "CON021", f"`{name}` is written out; a secret must be a reference", hint)


def _check_kind(form: ConnectorForm, kind: Kind, findings: Findings) -> None:
    """Refuse what the kind of database does not have, and name what it needs."""
    database = form.database
    if kind is Kind.POSTGRES:
        if not database.name:
            findings.add(database.place, "DOC002", "`name` is missing", "PostgreSQL: the database to connect to")
        if form.server_id:
            findings.add(form.place, "DOC008", "`server_id` is for MariaDB", "take it out")
    elif database.name:
        hint = "the tables' names in the mappings begin with it"
        findings.add(database.name.place, "DOC008", "MariaDB has no `name` here", hint)
    if database.tls is not None:
        modes = {
            Kind.POSTGRES: ("disable", "require", "verify-ca", "verify-full"),
            Kind.MARIADB: ("disabled", "required", "verify-ca", "verify-identity"),
        }[kind]
        if database.tls.mode not in modes:
            text = f"`{database.tls.mode}` is none of {', '.join(modes)}"
            findings.add(database.tls.mode.place, "DOC004", text)
    if form.signals and form.signals.count(".") != 1:
        findings.add(form.signals.place, "DOC005", f"`{form.signals}` is not schema.table", "write it with its schema")
