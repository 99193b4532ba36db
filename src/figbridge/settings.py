"""Settings of a running bridge: a file, then the environment (FIGBRIDGE_…), then command-line options win.

The source of a PostgreSQL password is never a settings file in git: use FIGBRIDGE_SOURCES__…__PASSWORD, or its
`password_file`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from figbridge.errors import ConfigurationError, Finding, Place

if TYPE_CHECKING:
    import yaml

_DOCUMENT = "see docs/settings.md"

_WRITTEN: ContextVar[Mapping[str, Any]] = ContextVar("_WRITTEN")
"""What the settings file says, while settings are loaded."""


class Source(BaseModel):
    """One database that Debezium streams out of: the monolith, or a service's with its outbox."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["postgres", "mariadb"] = "postgres"
    host: str = "127.0.0.1"
    port: int = Field(default=5432, ge=1, le=65535)
    user: str = "postgres"
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    database: str
    epoch: int = Field(default=1, ge=1, description="raised when the database is restored or replaced")
    heartbeat_ms: int = Field(default=2000, ge=100)

    def secret(self) -> str:
        """Return the password, from its file when one is named; raises ConfigurationError when it cannot be read."""
        return _secret(self.password, self.password_file)


class AuthorityDatabase(BaseModel):
    """The PostgreSQL that holds the authority store, for bridges on more than one machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(default=5432, ge=1, le=65535)
    user: str = "figbridge"
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    database: str = "figbridge"
    options: dict[str, str] = Field(default_factory=dict, description="of libpq: sslmode, sslrootcert, …")

    def secret(self) -> str:
        """Return the password, from its file when one is named; raises ConfigurationError when it cannot be read."""
        return _secret(self.password, self.password_file)


class ConnectCluster(BaseModel):
    """The Kafka Connect cluster whose connectors figbridge manages. It writes to the brokers under `kafka`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$")
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    ca_file: Path | None = None
    documents: Path = Path("connect")

    def secret(self) -> str:
        """Return the password, from its file when one is named; raises ConfigurationError when it cannot be read."""
        return _secret(self.password, self.password_file)


def _secret(written: SecretStr, file: Path | None) -> str:
    return written.get_secret_value() if file is None else _contents(file, "password_file")


def _contents(path: Path, setting: str) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not text"
        raise ConfigurationError([Finding(Place(str(path)), "SET005", f"{setting}: {why}", "check the path")]) from None


class Kafka(BaseModel):
    """The brokers that hold the log, when `log` is `kafka`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: str = Field(min_length=1)
    security: dict[str, SecretStr] = Field(default_factory=dict)
    secret_files: dict[str, Path] = Field(default_factory=dict)
    instance: str = ""
    replication: int = Field(default=-1, ge=-1, le=32767)
    session_timeout_ms: int = Field(default=10_000, ge=1_000)
    max_poll_interval_ms: int = Field(default=120_000, ge=1_000)
    transaction_timeout_ms: int = Field(default=30_000, ge=2_000)
    commit_ms: int = Field(default=50, ge=0, le=1_000)
    patience_s: float = Field(default=60.0, gt=0)

    def secrets(self) -> dict[str, str]:
        """Return the security settings with the contents of their files. Raises ConfigurationError for one that
        cannot be read."""
        found = {name: secret.get_secret_value() for name, secret in self.security.items()}
        return found | {name: _contents(path, "secret_files") for name, path in self.secret_files.items()}


class Settings(BaseSettings):
    """Everything a bridge must be told. Paths are relative to the working directory."""

    model_config = SettingsConfigDict(
        env_prefix="FIGBRIDGE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    mappings: Path = Path("mappings")
    data: Path = Path(".figbridge")
    group: str = "bridge"
    topic_prefix: str = "figbridge"
    batch: int = Field(default=1000, ge=1, le=100_000)
    domain_partitions: int = Field(default=4, ge=1, le=1024)
    dead_letter_payload: Literal["reference", "encrypted", "clear"] = "reference"
    dead_letter_key_file: Path | None = None
    sources: dict[str, Source] = Field(default_factory=dict)
    listen: str = Field(default="", pattern=r"^(|\[[0-9a-fA-F:]+\]:\d{1,5}|[^\s:]+:\d{1,5})$")
    authority: AuthorityDatabase | None = None
    connect: ConnectCluster | None = None
    log: Literal["embedded", "kafka"] = "embedded"
    kafka: Kafka | None = None

    @model_validator(mode="after")
    def _brokers_are_named(self) -> Settings:
        if self.log == "kafka" and self.kafka is None:
            raise ValueError("log is kafka, so kafka.servers must be set")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from, the one that wins first: arguments, the environment, the file."""
        file = InitSettingsSource(settings_cls, init_kwargs=dict(_WRITTEN.get({})))
        return init_settings, env_settings, file

    @property
    def log_file(self) -> Path:
        """Return the file of the embedded log."""
        return self.data / "log.db"

    @property
    def authority_file(self) -> Path:
        """Return the file of the embedded authority store."""
        return self.data / "authority.db"


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings; raises ConfigurationError with every finding. A file that is named must exist."""
    written, places = written_in(file) if file is not None else ({}, {})

    token = _WRITTEN.set(written)
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})
    except SettingsError as error:
        raise ConfigurationError([Finding(Place("environment"), "SET001", str(error), _DOCUMENT)]) from None
    except ValidationError as error:
        findings = [
            Finding(_place(e["loc"], places), "SET001", f"{'.'.join(map(str, e['loc']))}: {e['msg']}", _DOCUMENT)
            for e in error.errors()
        ]
        raise ConfigurationError(findings) from None
    finally:
        _WRITTEN.reset(token)


def _place(loc: tuple[int | str, ...], places: Mapping[tuple[str, ...], Place]) -> Place:
    """Return where a setting stands: the environment, which wins, or the file; for one that is missing, its parent."""
    path = tuple(map(str, loc))
    if f"FIGBRIDGE_{'__'.join(path)}".upper() in os.environ:
        return Place("environment")
    while path and path not in places:
        path = path[:-1]
    return places.get(path, Place("environment"))


def written_in(file: Path) -> tuple[Mapping[str, Any], Mapping[tuple[str, ...], Place]]:
    """Return a file's settings, and where each stands."""
    import yaml

    try:
        text = file.read_text()
        found, root = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not text"
        raise ConfigurationError([Finding(Place(str(file)), "SET002", why, "check the path")]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(str(file), mark.line + 1, mark.column + 1) if mark else Place(str(file))
        raise ConfigurationError(
            [Finding(place, "SET003", getattr(error, "problem", None) or "not YAML", "")]
        ) from None
    if found is None:
        return {}, {}
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise ConfigurationError([Finding(Place(str(file), 1, 1), "SET004", "expected a map of settings", "")])
    return found, dict(_places(root, str(file)))


def _places(node: yaml.Node | None, file: str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Place]]:
    for name, value in getattr(node, "value", ()) if getattr(node, "id", "") == "mapping" else ():
        here = (*path, str(name.value))
        yield here, Place(file, name.start_mark.line + 1, name.start_mark.column + 1)
        yield from _places(value, file, here)
