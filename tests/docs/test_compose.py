"""docker-compose.yml is a compose file, has the versions of connect/pom.xml, and holds no secret.

No engine for containers is needed, so this runs everywhere.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from figbridge.sandbox import pom
from figbridge.settings import load_settings

from .pages import ROOT, page

COMPOSE: dict[str, Any] = yaml.safe_load(page("docker-compose.yml"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SCHEMA = json.loads(page("tests/fixtures/compose/compose-spec.json"))
DOCKERFILES = sorted(p for p in (ROOT / "deploy").iterdir() if p.name.endswith("Dockerfile"))
EXACT = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?(@sha256:[0-9a-f]{64})?")


def test_it_is_a_compose_file() -> None:
    """The published schema accepts it, and notices what is not of it."""
    check = jsonschema.Draft7Validator(SCHEMA)
    assert [error.message for error in check.iter_errors(COMPOSE)] == []
    wrong = copy.deepcopy(COMPOSE)
    wrong["services"]["kafka"]["helthcheck"] = {}
    assert not check.is_valid(wrong)


def test_its_versions_are_those_of_the_pom() -> None:
    """Whoever has Docker runs what everybody else runs, and what the tests have seen."""
    versions = pom.versions()
    tags = {name: service["image"].rpartition(":")[2] for name, service in SERVICES.items()}
    assert tags["kafka"] == tags["connect"] == versions["kafka"]
    assert SERVICES["connect"]["build"]["args"]["KAFKA_VERSION"] == versions["kafka"]
    assert tags["postgres"] == versions["postgres"]
    assert tags["mariadb"] == versions["mariadb"]
    connect = page("deploy/connect.Dockerfile")
    assert "FROM apache/kafka:${KAFKA_VERSION}\n" in connect
    assert "COPY connect/pom.xml" in connect  # the connectors' versions stand nowhere else


def test_every_image_that_is_not_made_here_has_an_exact_tag() -> None:
    """What is pulled next year is what was pulled today."""
    for name, service in SERVICES.items():
        if "build" not in service:
            assert EXACT.fullmatch(service["image"]), name
    for file in DOCKERFILES:
        for image in re.findall(r"^FROM (\S+)", file.read_text(encoding="utf-8"), re.MULTILINE):
            assert EXACT.fullmatch(image.replace("${KAFKA_VERSION}", "1.0")), f"{file.name}: {image}"


def test_it_starts_what_the_sandbox_starts() -> None:
    """The settings on which the bridge depends are the same in both."""
    worker = page("src/figbridge/sandbox/worker.py")
    for line in page("deploy/connect.properties").splitlines():
        name = line.partition("=")[0]
        if name and not line.startswith("#"):
            assert f'"{name}"' in worker, name
    assert {"wal_level=logical", "track_commit_timestamp=on"} <= set(SERVICES["postgres"]["command"])
    mariadb = page("src/figbridge/sandbox/mariadb.py")
    for word in SERVICES["mariadb"]["command"]:
        name, _, value = word.removeprefix("--").partition("=")
        assert f'"{name}": "{value}"' in mariadb, word


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_says_whether_it_is_well_and_starts_again(name: str) -> None:
    """Others wait for it by its health and not by time; who keeps data keeps them in a volume; ports are local."""
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["restart"] == "unless-stopped"
    for needed in service.get("depends_on", {}).values():
        assert needed["condition"] == "service_healthy"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    named = [v.partition(":")[0] for v in service.get("volumes", []) if isinstance(v, str)]
    assert set(named) <= set(COMPOSE["volumes"])
    assert bool(named) == (name != "connect"), "a worker keeps everything in Kafka; everybody else has data"


def test_monitoring_is_asked_for() -> None:
    """Prometheus and Grafana start with their profile only."""
    assert {n for n, s in SERVICES.items() if s.get("profiles") == ["monitoring"]} == {"prometheus", "grafana"}


def test_no_secret_is_in_it() -> None:
    """A password is a file that is never committed; what names one names a file."""
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", name):
                assert name.endswith("_FILE")
                assert str(value).startswith("/run/secrets/")
                assert Path(value).name in service["secrets"]
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    ignored = page(".gitignore").splitlines()
    assert {"deploy/secrets/", "deploy/bridge.env"} <= set(ignored)
    assert all("/deploy/secrets}" in secret["file"] for secret in COMPOSE["secrets"].values())


def test_the_secrets_are_made_once(tmp_path: Path) -> None:
    """Every secret that the file names is written, no two are alike, and a second call changes none."""
    folder = tmp_path / "secrets"
    texts = []
    for _ in range(2):
        subprocess.run([ROOT / "deploy" / "make-secrets", folder], check=True, capture_output=True)
        texts.append({p.name: p.read_text(encoding="utf-8") for p in folder.iterdir()})
    assert texts[0] == texts[1]
    assert set(texts[0]) == set(COMPOSE["secrets"])
    passwords = [text for name, text in texts[0].items() if name.endswith("-password")]
    assert len(set(passwords)) == len(passwords)
    assert all(re.fullmatch(r"[\w-]{24}", password) for password in passwords)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda p: p.name)
def test_an_image_is_made_in_two_stages_and_does_not_run_as_root(file: Path) -> None:
    """What builds it is not in it, and whoever breaks out of the program is nobody."""
    text = file.read_text(encoding="utf-8")
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    assert "COPY --from=" in stages[1]
    users = re.findall(r"^USER (\S+)", stages[1], re.MULTILINE)
    assert users
    assert users[-1] not in ("root", "0")


def test_what_an_image_copies_is_there_and_reaches_the_builder() -> None:
    """A file that was moved, or that .dockerignore keeps back, shows here and not in a build."""
    allowed = {line[1:] for line in page(".dockerignore").splitlines() if line.startswith("!")}
    for file in DOCKERFILES:
        for words in re.findall(r"^COPY (?!--from)(.+)$", file.read_text(encoding="utf-8"), re.MULTILINE):
            for source in words.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in allowed, f"{source} is not in .dockerignore"
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            if isinstance(volume, dict):
                assert (ROOT / volume["source"]).exists(), volume["source"]


def test_the_settings_of_the_bridge_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the container reads has no finding."""
    for name in [n for n in os.environ if n.startswith("FIGBRIDGE_")]:
        monkeypatch.delenv(name)
    assert load_settings(ROOT / "deploy" / "figbridge.yaml").mappings == Path("/etc/figbridge/mappings")


DOCKER = """#!/bin/sh
echo "$@" >> {folder}/calls
"""


def test_tests_use_it_where_an_engine_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services are started one by one as tests ask, in a project of their own; at the end nothing is left of it.

    The engine here only writes down how it was called.
    """
    from support.servers import Containers, servers

    (tmp_path / "docker").write_text(DOCKER.format(folder=tmp_path))
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with servers() as found:
        assert isinstance(found, Containers)
        env = dict(line.split("=", 1) for line in Path(found._env).read_text().splitlines())
        variables = set(re.findall(r"\$\{(\w+):-", page("docker-compose.yml"))) - {"PROMETHEUS_PORT", "GRAFANA_PORT"}
        assert set(env) == variables | {"COMPOSE_PROJECT_NAME"}
        assert found.bootstrap == f"localhost:{env['KAFKA_PORT']}"
        assert {found.postgres.inside_host, found.mariadb.inside_host} < set(SERVICES)
        found.start("kafka")
        found.start("kafka", "connect", "postgres", "mariadb")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["info", *(f"compose --env-file {found._env} {words}" for words in (
        "up --build --wait kafka",
        "up --build --wait kafka connect postgres mariadb",
        "down --volumes",
    ))]  # fmt: skip
    assert not Path(env["SECRETS"]).exists()
