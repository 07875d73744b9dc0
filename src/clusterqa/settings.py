"""
One typed settings object, made once at the edge and passed down.

Values come from flags, then `CLUSTERQA_*` variables, then `clusterqa.toml` in the current folder, then the defaults below.
No other module reads the environment for its settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from clusterqa.errors import SettingsError

SETTINGS_FILE = "clusterqa.toml"
PREFIX = "CLUSTERQA_"
BUNDLED_ENCODER = "bundled"
BUNDLED_READER = "bundled"
IN_MEMORY = "faiss"
"""The index that needs nothing beside it."""
IN_A_FILE = "sqlite"
"""The store that needs nothing beside it."""
EMBEDDED = {"index": IN_MEMORY, "store": IN_A_FILE}
"""What a small knowledge base beside the usual one uses, whatever the usual one does."""
MAX_RATE = 100_000
"""The largest limit of questions a minute that one client, or one key, can have."""
ORIGIN = r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"
"""A site as browsers name it, in the header Origin."""
ANY_ORIGIN = "*"
SAFE_ADDRESS = r"https://[^\s#]+|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(/[^\s#]*)?"
"""An address that secrets may be sent to: with TLS, or on this machine."""


def _default_corpus() -> Path:
    """`corpus/` here; without one the corpus that the package brings, so that a first question can be asked anywhere."""
    here = Path("corpus")
    packaged = Path(str(files("clusterqa"))) / "bundled_corpus"
    return packaged if not here.is_dir() and packaged.is_dir() else here


def _default_data() -> Path:
    """`data/` beside a corpus of one's own; the user's data folder when the packaged corpus is asked."""
    if _default_corpus() == Path("corpus"):
        return Path("data")
    import platformdirs

    return Path(platformdirs.user_data_dir("clusterqa"))


_ADDRESS = r"[^@\s\x00-\x1f\x7f<>\"?&,;:%#()\[\]\\]"
EMAIL = rf"{_ADDRESS}+@{_ADDRESS}+\.{_ADDRESS}+"
"""One e-mail address, and nothing that a mail program takes for a second one or for a field of the letter."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the documents of one corpus are kept with all that is derived from them: what `store.open_store` takes."""

    data: Path
    store: str = field(default=IN_A_FILE, repr=False)
    """IN_A_FILE of the data folder, or the address of a PostgreSQL server, in which there may be a password."""


class Contact(BaseModel):
    """Whom a reader may turn to when the documents have no answer; what is empty is not shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=200)
    email: str = Field(default="", pattern=rf"^({EMAIL})?$")
    telephone: str = Field(default="", pattern=r"^[0-9+() -]*$")
    form: str = Field(default="", pattern=r"^(https?://\S+)?$")
    replies: bool = False
    """Readers may leave an e-mail address with a question that found nothing; staff see it at the desk and answer."""


class Settings(BaseSettings):
    """Every setting with its default, its range and what it is for."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file=SETTINGS_FILE, extra="forbid", frozen=True, env_ignore_empty=True
    )

    corpus: Path = Field(default_factory=_default_corpus, description="folder of the documents")
    data: Path = Field(default_factory=_default_data, description="folder for everything derived and for the journal")
    index: str = Field(
        default=IN_MEMORY,
        pattern=r"^(faiss|pgvector:postgres(ql)?://\S+|milvus:\S+)$",
        repr=False,
        description='where vectors are searched: "faiss", in memory, "pgvector:postgresql://user@host/database", '
        '"milvus:http://host:19530", or "milvus:FILE"',
    )
    store: str = Field(
        default=IN_A_FILE,
        pattern=r"^(sqlite|postgres(ql)?://\S+)$",
        repr=False,
        description='where documents, versions, passages, accounts and journal are kept: "sqlite", in the data folder, or '
        '"postgresql://user@host/database"',
    )
    encoder: str = Field(
        default=BUNDLED_ENCODER,
        min_length=1,
        description='"bundled", a folder, or a name on the Hugging Face hub',
    )
    reranker: str = Field(
        default="late_interaction",
        min_length=1,
        description='what takes the closer look: "late_interaction", or "package.module:name" of one of your own',
    )
    reader: str = Field(
        default=BUNDLED_READER,
        min_length=1,
        description='what reads question and passage together: "bundled", a folder, or "none" (faster, and less right)',
    )
    precision: Literal["float32", "int8"] = Field(
        default="float32",
        description="arithmetic of the encoder: float32, or int8, which is nearly twice as fast and finds the same",
    )
    reader_precision: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="arithmetic of the reader: float32, or bfloat16, twice as fast on a processor that knows it (AMX)",
    )
    passage_chars: int = Field(default=600, ge=100, le=4000, description="longest passage, in characters")
    host: str = Field(default="127.0.0.1", min_length=1, description="address the web app listens on")
    port: int = Field(default=7860, ge=1, le=65535, description="port the web app listens on")
    threads: int = Field(default=2, ge=1, le=64, description="processor threads for the encoder and the search")
    refresh_seconds: float = Field(
        default=1.0, ge=0.05, le=3600, description="how often a running server looks for a new generation"
    )
    retention_days: int = Field(
        default=180, ge=1, le=3650, description="days after which questions and feedback are deleted from the journal"
    )
    journal_mb: int = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description="largest size of the journal, in MB; when it is full, questions are answered and not kept. 0 for no bound",
    )
    rate_limit: int = Field(
        default=300, ge=0, le=MAX_RATE, description="questions a minute from one client; 0 for no limit"
    )
    rate_limit_overall: int = Field(
        default=3000, ge=0, le=1_000_000, description="questions a minute from all clients together; 0 for no limit"
    )
    max_connections: int = Field(
        default=1000, ge=8, le=50_000, description="open connections in all; fewer where the system allows fewer files"
    )
    max_connections_per_client: int = Field(
        default=100,
        ge=4,
        le=50_000,
        description="open connections of one client; those of the proxy are not counted so",
    )
    max_body_kb: int = Field(default=64, ge=4, le=10_240, description="largest request the web app takes, in KiB")
    expired: Literal["leave_out", "show"] = Field(
        default="leave_out",
        description='documents past their `valid_until`: "leave_out" of answers, or "show" with a note of it',
    )
    fetch_urls: bool = Field(
        default=False,
        description="whether the staff may add a page by its address, which the server then fetches; never one inside a network",
    )
    max_upload_mb: int = Field(default=50, ge=1, le=2000, description="largest document the staff may upload, in MiB")
    frame_ancestors: str = Field(
        default="",
        pattern=r"^(https?://[A-Za-z0-9.*:-]+( |$))*$",
        description='sites that may show the chat in a frame, like "https://www.example.lt"; with spaces between them',
    )
    contact: dict[Literal["lt", "en"], Contact] = Field(
        default={},
        description="whom to turn to when nothing is found, for each language: name, email, telephone, form (an address), replies",
    )
    session_hours: float = Field(
        default=12,
        ge=0.1,
        le=24 * 31,
        description="hours after which staff log in again; a quarter of that without use",
    )
    second_factor: Literal["optional", "required"] = Field(
        default="optional",
        description='whether everybody who logs in to the desk with a password needs a code as well: "optional", or "required"',
    )
    oidc_issuer: str = Field(
        default="",
        pattern=rf"^({SAFE_ADDRESS})?$",
        description="address of the OpenID Connect provider through which staff may log in; empty: with passwords alone",
    )
    oidc_client_id: str = Field(default="", max_length=500, description="what the provider calls this server")
    oidc_client_secret: str = Field(
        default="", max_length=2000, repr=False, description="secret that the provider gave this server, if it gave one"
    )
    oidc_scopes: str = Field(
        default="openid profile email",
        pattern=r"^openid( [!-~]+)*$",
        description="what the provider is asked for; some tell groups only when asked for `groups`",
    )
    oidc_name_claim: str = Field(
        default="preferred_username", min_length=1, description="where the provider tells the name of the account"
    )
    oidc_groups_claim: str = Field(
        default="groups",
        min_length=1,
        description="where the provider tells groups; dots lead inside, `realm_access.roles`",
    )
    oidc_groups: dict[str, Literal["editor", "administrator"]] = Field(
        default={}, description="the role that each group gives; who is in none of them is not let in"
    )
    conversation_hours: float = Field(
        default=2,
        ge=0.1,
        le=24 * 31,
        description="hours without a question after which a conversation of the chat is forgotten",
    )
    conversation_turns: int = Field(
        default=50, ge=1, le=1000, description="questions of one conversation that are kept, with their answers"
    )
    conversations_mb: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="memory for all conversations of the chat, in MB; the longest untouched are forgotten first",
    )
    proxy: str = Field(
        default="",
        pattern=r"^[0-9A-Fa-f.:/, *]*$",
        description="addresses of the proxy in front, whose X-Forwarded headers are believed; empty when there is none",
    )
    watch_token: str = Field(
        default="",
        pattern=r"^([!-~]{16,200})?$",
        repr=False,
        description="secret that /metrics, /api/docs and the details of /readyz ask for; empty: everybody sees them",
    )
    hosts: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9._-]+( |$)|\[[0-9A-Fa-f:.]+\]( |$))*$",
        description='names under which the server is reached, like "example.lt www.example.lt"; all others are refused; '
        "empty: any name",
    )

    public_address: str = Field(
        default="",
        pattern=rf"^({ORIGIN}(/[!-~]*)?)?$",
        description='where the server is reached from outside, like "https://example.lt/klausimai"; for the description of the '
        "API and for links to sources; empty: as it was asked",
    )
    cors_origins: str = Field(
        default="",
        pattern=rf"^(\*|({ORIGIN}( |$))*)$",
        description='sites whose pages may ask the HTTP API without a key of theirs, like "https://www.example.lt"; with '
        'spaces between them; "*" for any',
    )

    @field_validator("corpus", "data", mode="before")
    @classmethod
    def _not_blank(cls, value: Any) -> Any:
        if isinstance(value, str):
            if not value.strip():
                raise ValueError("a folder is needed")
            return Path(value).expanduser()
        return value

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Settings:
        """A log-in that would let nobody in is a mistake."""
        lacking = [name for name in ("oidc_client_id", "oidc_groups") if self.oidc_issuer and not getattr(self, name)]
        if lacking:
            raise ValueError(f"oidc_issuer is set, so {' and '.join(lacking)} must be set too")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def home(self) -> Home:
        return Home(self.data, self.store)

    @classmethod
    def load(cls, flags: Mapping[str, Any] | None = None) -> Settings:
        """
        Settings from all four places; `flags` that are None do not count.

        Raises SettingsError that names each wrong value together with the place it came from.
        """
        given = {name: value for name, value in (flags or {}).items() if value is not None}
        if unknown := [name for name in os.environ if name.startswith(PREFIX) and _field(name) not in cls.model_fields]:
            raise SettingsError("\n".join(_no_setting(name) for name in sorted(unknown)))
        try:
            return cls(**given)
        except ValidationError as error:
            lines = [_wrong_value(problem, given) for problem in error.errors()]
            raise SettingsError("\n".join(lines)) from error
        except (ValueError, OSError, RecursionError) as error:  # TOML that cannot be parsed or opened
            raise SettingsError(
                f"{SETTINGS_FILE} cannot be read: {error}. Correct the file or move it away."
            ) from error


def _field(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower()


def _no_setting(variable: str) -> str:
    near = get_close_matches(_field(variable), Settings.model_fields, n=1)
    meant = f" Is {PREFIX}{near[0].upper()} meant?" if near else " The README lists the settings."
    return f"The variable {variable} belongs to no setting.{meant}"


def _wrong_value(problem: Mapping[str, Any], flags: Mapping[str, Any]) -> str:
    if not problem["loc"]:  # it is about several together
        return f"The settings do not fit together: {problem['ctx']['error']}."
    name = str(problem["loc"][0])
    variable = f"CLUSTERQA_{name.upper()}"
    if name in flags:
        origin = f"--{name.replace('_', '-')}"
    elif any(key.upper() == variable and value for key, value in os.environ.items()):
        origin = f"the variable {variable}"
    else:
        origin = f"{SETTINGS_FILE} ({name})"
    if problem["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return f"{origin}: there is no setting of this name. Known settings: {known}."
    # A secret is not printed; in an address there may be a password.
    value = f" {problem['input']!r}" if Settings.model_fields[name].repr else ""
    return f"{origin} has a wrong value{value}: {problem['msg']}."
