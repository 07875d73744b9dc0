"""
API keys: who may ask how much, from which sites. An administrator makes one, gives it away, and revokes it.

    key, secret = keys.add("portal", 600, "https://portal.example.lt", "rasa")     the secret is shown this once
    keys.check(secret)          the key; WrongKey when there is none, or none any more

A secret is 256 random bits, so that its sha256 can be kept as it is: nobody finds the one from the other, and a copy of the file
lets nobody in. Every check looks into the file, so that a revoked key ends at once, whichever process revoked it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clusterqa.books import Connection
from clusterqa.errors import ClusterQAError, StoreError
from clusterqa.settings import ANY_ORIGIN, MAX_RATE, ORIGIN
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, stamp, when, whole
from clusterqa.staff.tables import KEYS

PREFIX = "cqa_"
"""What every secret begins with: whoever finds one somewhere, or looks for lost ones, knows what it is."""
SHOWN = len(PREFIX) + 4
"""Characters of a secret that are kept to tell keys apart; 232 bits stay unknown."""
MAX_NAME = 64
MAX_ORIGINS = 20
TOUCH = timedelta(minutes=1)
"""How exactly the last use of a key is known: to write at every request would be for nothing."""

LARGEST_ID = (1 << 63) - 1
_COLUMNS = "id, name, beginning, rate_limit, origins, made_by, made_at, used_at"


@dataclass(frozen=True, slots=True)
class Key:
    """
    A key without its secret. `beginning` are the first characters of that; `rate_limit` questions a minute, 0 for no
    limit; `origins` the sites whose pages may use it, "*" for any. Times in UTC.
    """

    id: int
    name: str
    beginning: str
    rate_limit: int
    origins: tuple[str, ...]
    made_by: str
    made_at: datetime
    used_at: datetime | None


class KeyProblem(ClusterQAError):
    """Something about a key that the person can put right; `key` names it for pages in other languages, `what` was given."""

    key = "key_problem"
    what = ""


class NoSuchKey(KeyProblem):
    key = "no_such_key"

    def __init__(self, name: str = "") -> None:
        super().__init__(
            f"There is no key {name}. See what there is with: clusterqa keys list"
            if name
            else "There is no such key any more."
        )


class WrongKeyName(KeyProblem):
    key = "wrong_key_name"

    def __init__(self) -> None:
        super().__init__(f"A key needs a name of at most {MAX_NAME} characters: who will use it, and for what.")


class KeyNameTaken(KeyProblem):
    key = "key_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a key {name} already. Take another name, or revoke that one first.")


class WrongLimit(KeyProblem):
    key = "wrong_limit"

    def __init__(self) -> None:
        super().__init__(f"The limit is a number of questions a minute, from 0 (none) to {MAX_RATE:,}.")


class WrongOrigin(KeyProblem):
    """`what` is the part that is no address of a site."""

    key = "wrong_origin"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what!r} is not the address of a site. Write it like https://www.example.lt, without a path."
        )
        self.what = what


class TooManyOrigins(KeyProblem):
    key = "too_many_origins"

    def __init__(self) -> None:
        super().__init__(f"A key is for at most {MAX_ORIGINS} sites.")


class WrongKey(ClusterQAError):
    """What was sent is no key of ours, or none any more."""

    def __init__(
        self, told: str = "This key is wrong or was revoked. Ask the administrators of the server for a new one."
    ) -> None:
        super().__init__(told)


class Keys:
    """Thread-safe. Every change writes its line of the audit log in the same transaction."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit
        database.prepare(KEYS)

    def everyone(self) -> list[Key]:
        """In the order of names."""
        with self._database.using() as db:
            return [_key(row) for row in db.execute(f"SELECT {_COLUMNS} FROM api_keys ORDER BY folded")]

    def find(self, identifier: int) -> Key:
        """Raises NoSuchKey."""
        with self._database.using() as db:
            return _find(db, identifier)

    def named(self, name: str) -> Key:
        """The key of that name, in whatever letters it is written. Raises NoSuchKey."""
        with self._database.using() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE folded = ?", (_neat(name).casefold(),)).fetchone()
        if row is None:
            raise NoSuchKey(name)
        return _key(row)

    def add(self, name: str, rate_limit: int, origins: str, by: str) -> tuple[Key, str]:
        """A new key with its secret, which is known nowhere else from now on. Raises KeyProblem."""
        name = _neat(name)
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise WrongKeyName
        sites = _sites(origins)
        _check_limit(rate_limit)
        secret = PREFIX + secrets.token_urlsafe(32)
        values = (_digest(secret), name, name.casefold(), secret[:SHOWN], rate_limit, " ".join(sites), by, stamp())
        with self._database.changing() as db:
            if db.execute("SELECT 1 FROM api_keys WHERE folded = ?", (name.casefold(),)).fetchone():
                raise KeyNameTaken(name)
            (number,) = db.execute(
                "INSERT INTO api_keys (digest, name, folded, beginning, rate_limit, origins, made_by, made_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                values,
            ).fetchone()
            self._audit.note(db, by, "key.added", name, _told(rate_limit, sites))
            return _find(db, number), secret

    def change(self, identifier: int, rate_limit: int, origins: str, by: str) -> None:
        """Another limit, other sites; holds from the key's next request. Raises KeyProblem."""
        sites = _sites(origins)
        _check_limit(rate_limit)
        with self._database.changing() as db:
            key = _find(db, identifier)
            if (key.rate_limit, key.origins) == (rate_limit, sites):
                return
            db.execute(
                "UPDATE api_keys SET rate_limit = ?, origins = ? WHERE id = ?",
                (rate_limit, " ".join(sites), identifier),
            )
            self._audit.note(db, by, "key.changed", key.name, _told(rate_limit, sites))

    def revoke(self, identifier: int, by: str) -> Key:
        """End a key, from its next request on; gives what it was. Raises NoSuchKey."""
        with self._database.changing() as db:
            key = _find(db, identifier)
            db.execute("DELETE FROM api_keys WHERE id = ?", (identifier,))
            self._audit.note(db, by, "key.revoked", key.name)
            return key

    def check(self, secret: str, now: datetime | None = None) -> Key:
        """The key that a secret belongs to, and note that it was used. Raises WrongKey."""
        if not secret.startswith(PREFIX):  # no look into the file for it
            raise WrongKey
        moment = now or datetime.now(UTC)
        with self._database.using() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE digest = ?", (_digest(secret),)).fetchone()
        if row is None:
            raise WrongKey
        key = _key(row)
        if key.used_at is None or moment - key.used_at >= TOUCH:
            # A full disk must not shut out whoever only asks.
            with suppress(StoreError), self._database.using() as db:
                db.execute("UPDATE api_keys SET used_at = ? WHERE id = ?", (stamp(moment), key.id))
        return key

    def origins(self) -> frozenset[str]:
        """The sites of all keys together."""
        with self._database.using() as db:
            return frozenset(site for (sites,) in db.execute("SELECT origins FROM api_keys") for site in sites.split())


def _find(db: Connection, identifier: int) -> Key:
    if not 0 < identifier <= LARGEST_ID:  # SQLite cannot be asked for others
        raise NoSuchKey
    row = db.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise NoSuchKey
    return _key(row)


def _key(row: tuple[object, ...]) -> Key:
    identifier, name, beginning, rate_limit, origins, made_by, made_at, used_at = row
    return Key(
        id=whole(identifier),
        name=str(name),
        beginning=str(beginning),
        rate_limit=whole(rate_limit),
        origins=tuple(str(origins).split()),
        made_by=str(made_by),
        made_at=when(made_at),
        used_at=when(used_at) if used_at else None,
    )


def _neat(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.encode("utf-8", "replace").decode().split()))


def _sites(origins: str) -> tuple[str, ...]:
    """The origins of a list with spaces, commas or lines between them, as browsers send them. Raises KeyProblem."""
    sites = tuple(dict.fromkeys(site.lower().rstrip("/") for site in re.split(r"[\s,;]+", origins.strip()) if site))
    if wrong := [site for site in sites if site != ANY_ORIGIN and not re.fullmatch(ORIGIN, site)]:
        raise WrongOrigin(wrong[0][:200])
    if len(sites) > MAX_ORIGINS:
        raise TooManyOrigins
    return sites


def _check_limit(rate_limit: int) -> None:
    if not 0 <= rate_limit <= MAX_RATE:
        raise WrongLimit


def _told(rate_limit: int, sites: tuple[str, ...]) -> str:
    """For the audit log, in a form that needs no translation: "600/min https://portal.example.lt"."""
    return " ".join([f"{rate_limit}/min" if rate_limit else "∞", *sites])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
