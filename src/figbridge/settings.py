"""Settings of a running bridge: a file, then the environment (FIGBRIDGE_…), then command-line options win.

The source of a PostgreSQL password is never a settings file in git: use FIGBRIDGE_SOURCE__PASSWORD or `password_file`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from figbridge.errors import ConfigurationError, Finding, Place


class Source(BaseModel):
    """One database that Debezium streams out of: the monolith, or a service's with its outbox."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=5432, ge=1, le=65535)
    user: str = "postgres"
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    database: str
    epoch: int = Field(default=1, ge=1, description="raised when the database is restored or replaced")
    heartbeat_ms: int = Field(default=2000, ge=100)

    def secret(self) -> str:
        """Return the password, from its file when one is named."""
        if self.password_file is not None:
            return self.password_file.read_text().strip()
        return self.password.get_secret_value()


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
    sources: dict[str, Source] = Field(default_factory=dict)

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
    written: Mapping[str, Any] = {}
    place = Place(str(file) if file is not None else "environment")
    if file is not None:
        written = _read(file)
    try:
        given = {k: v for k, v in overrides.items() if v is not None}
        return Settings(**{**written, **given})
    except ValidationError as error:
        findings = [
            Finding(place, "SET001", f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}", "see docs/settings.md")
            for e in error.errors()
        ]
        raise ConfigurationError(findings) from None


def _read(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text())
    except OSError as error:
        raise ConfigurationError(
            [Finding(Place(str(file)), "SET002", error.strerror or "cannot be read", "check the path")]
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(str(file), mark.line + 1, mark.column + 1) if mark else Place(str(file))
        raise ConfigurationError(
            [Finding(place, "SET003", getattr(error, "problem", None) or "not YAML", "")]
        ) from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigurationError([Finding(Place(str(file), 1, 1), "SET004", "expected a map of settings", "")])
    return found
