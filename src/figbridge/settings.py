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

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
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


class ConnectCluster(BaseModel):
    """The Kafka Connect cluster whose connectors figbridge manages, and the Kafka that it writes to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$")
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    ca_file: Path | None = None
    documents: Path = Path("connect")
    kafka: dict[str, str] = Field(default_factory=dict)

    def secret(self) -> str:
        """Return the password, from its file when one is named; raises ConfigurationError when it cannot be read."""
        return _secret(self.password, self.password_file)


def _secret(written: SecretStr, file: Path | None) -> str:
    if file is None:
        return written.get_secret_value()
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not text"
        raise ConfigurationError(
            [Finding(Place(str(file)), "SET005", f"password_file: {why}", "check the path")]
        ) from None


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
    connect: ConnectCluster | None = None

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
