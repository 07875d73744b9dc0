"""
The accounts of the staff, their sessions, and the slowing down after failed attempts.

Passwords are kept as argon2id hashes. A session is a random id which the browser keeps and this file knows only by its
sha256, so that a copy of the file lets nobody in; changing a password or removing an account ends its sessions.

Whoever guesses waits, by account and address; nobody can make the account's owner wait where the owner has been before.

An account has a password here, or belongs to somebody whom an OpenID Connect provider vouches for, never both. Those of a
provider take their role from it at each log-in.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from itsdangerous import BadSignature, Signer

from clusterqa.addresses import neighbourhood
from clusterqa.books import Connection
from clusterqa.deceptive import findings
from clusterqa.errors import ClusterQAError
from clusterqa.staff.audit import PROVIDER, Audit
from clusterqa.staff.database import Database, stamp, unreadable, when, whole
from clusterqa.staff.tables import ACCOUNTS
from clusterqa.text.analysis import fold

Role = Literal["editor", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

MIN_PASSWORD = 12
MAX_PASSWORD = 200
MIN_GUESSES = 10**9
"""Guesses (as zxcvbn estimates them) that a password must withstand: lock-outs allow far fewer in a lifetime."""

FAILURES_HERE = 5
"""Failed attempts on one name from one address (of IPv6: from one /64), after which that address must wait."""
FAILURES_IN_ALL = 20
"""Failed attempts on one name from all addresses, after which each address has one attempt in place of FAILURES_HERE."""
LOCK = timedelta(minutes=15)
"""How long one must wait, and how close together failures must be to be counted together."""
IDLE_SHARE = 4
"""A session that is not used ends after this part of its whole time."""
KNOWN = timedelta(days=180)
"""An address is known to an account so long after the last log-in from there: a right password always gets in from it."""
MOST_KNOWN = 30
"""Addresses known to one account."""
KEY_BYTES = 32
"""Of the key that sessions and forms are signed with."""
TOUCH = timedelta(minutes=1)
"""How exactly the last use of a session is known: to write at every request would be for nothing."""

_NAME = re.compile(r"\w[\w.@+-]{0,63}")
_PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are easily confused
# Words that the passwords of this desk's people are likely to be made of, without diacritics, the likeliest first.
_LIKELY_WORDS = """
slaptazodis labas rytas labasrytas vakaras lietuva vilnius kaunas klaipeda siauliai panevezys zalgiris krepsinis basketbolas
klasteris klasteriai klasteriu zenklas zenklai bronza sidabras auksas bronzos sidabro aukso agentura inovacija inovacijos
administratorius redaktorius darbuotojas darbuotojai sistema dokumentai clusterqa cluster clusters label labels bronze silver
"""

_COLUMNS = (
    "a.id, a.name, a.role, a.must_change, a.password_at, a.added_at, a.seen_at, "
    "(SELECT issuer FROM identities WHERE account = a.id)"
)


@dataclass(frozen=True, slots=True)
class Account:
    """
    One of the staff. Times in UTC; `seen_at` the last log-in; `must_change` while the password is one given out; `issuer` the
    provider that vouches for this person, "" where they have a password here.
    """

    id: int
    name: str
    role: Role
    must_change: bool
    password_at: datetime
    added_at: datetime
    seen_at: datetime | None
    issuer: str = ""

    @property
    def administrates(self) -> bool:
        return self.role == "administrator"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody logged in. `token` is the secret that the browser keeps."""

    account: Account
    token: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom a provider vouches for: `subject` is who it is for ever, `name` and `role` what it says now."""

    issuer: str
    subject: str
    name: str
    role: Role


class AccountError(ClusterQAError):
    """Something about an account that the person can put right; `key` names it for pages in other languages."""

    key = "account_error"


class NoSuchAccount(AccountError):
    key = "no_such_account"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no account {name}. See what there is with: clusterqa staff list")


class WrongName(AccountError):
    key = "wrong_name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} cannot be an account's name. Take up to 64 letters and digits without spaces; . @ + - _ may stand inside."
        )


class NameTaken(AccountError):
    key = "name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is an account {name} already. Change its password with: clusterqa staff password {name}"
        )


class NameOfAnother(AccountError):
    """Somebody whom a provider vouches for has the name of an account that is not theirs."""

    key = "oidc_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is an account {name} already, of somebody else or with a password. Remove it first.")


class NotKeptHere(AccountError):
    """Password and role of an account that a provider vouches for are the provider's."""

    key = "not_kept_here"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} logs in through the OpenID Connect provider, which also tells the role. Change it there."
        )


class WeakPassword(AccountError):
    """`key` says which rule: too short, too long, or easily guessed."""

    def __init__(self, key: Literal["password_short", "password_long", "password_guessable"]) -> None:
        told = {
            "password_short": f"The password is too short: at least {MIN_PASSWORD} characters. Three or four words are easy to keep.",
            "password_long": f"The password is too long: at most {MAX_PASSWORD} characters.",
            "password_guessable": "The password is easy to guess. Take three or four words that do not belong together.",
        }
        super().__init__(told[key])
        self.key = key


class LastAdministrator(AccountError):
    key = "last_administrator"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is the last administrator with a password. Make another such account an administrator first."
        )


class WrongPassword(AccountError):
    """Name and password do not go together; the same whether there is such a name or not."""

    key = "wrong_password"

    def __init__(self) -> None:
        super().__init__("The name or the password is wrong.")


class Locked(AccountError):
    """Too many failed attempts; `until` when the next one is allowed (UTC). The same for names that do not exist."""

    key = "locked"

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Too many failed attempts. Try again after {until:%H:%M} UTC.")
        self.until = until


class Accounts:
    """Thread-safe. Every change writes its line of the audit log in the same transaction."""

    def __init__(self, database: Database, audit: Audit, session_hours: float = 12, issuer: str = "") -> None:
        """Accounts of a provider other than `issuer` are not let in."""
        from argon2 import PasswordHasher

        self._database = database
        self._audit = audit
        self._issuer = issuer
        self._whole = timedelta(hours=session_hours)
        self._idle = self._whole / IDLE_SHARE
        # argon2id as OWASP's password storage cheat sheet has it: 19 MiB, two passes, one lane. The library's own choice
        # (64 MiB, four lanes) would take both processors from the chat at every log-in.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._hashing = threading.BoundedSemaphore(2)  # so that a flood of log-ins takes 38 MiB, not all there is
        database.prepare(ACCOUNTS)
        with database.changing() as db:
            made = secrets.token_bytes(KEY_BYTES)
            db.execute("INSERT INTO keys VALUES ('signing', ?) ON CONFLICT DO NOTHING", (made,))
            self._key = db.execute("SELECT value FROM keys WHERE name = 'signing'").fetchone()[0]
        if not isinstance(self._key, bytes) or len(self._key) != KEY_BYTES:  # what another signs must not be ours
            raise unreadable(ValueError("the key that log-ins are signed with"))
        self._nobody = self._hash(secrets.token_urlsafe())
        """What the password of a name that does not exist is compared with, so that it takes as long."""

    # ── the accounts ────────────────────────────────────────────────────────────────────────────────────────────

    def everyone(self) -> list[Account]:
        """In the order of names."""
        with self._database.using() as db:
            return [_account(row) for row in db.execute(f"SELECT {_COLUMNS} FROM accounts a ORDER BY a.key")]

    def find(self, name: str) -> Account:
        """The account of this name, however it is capitalised; raises NoSuchAccount."""
        with self._database.using() as db:
            return self._find(db, name)

    def exist(self) -> bool:
        """Whether there is an account; without one the desk is closed."""
        with self._database.using() as db:
            return db.execute("SELECT 1 FROM accounts").fetchone() is not None

    def add(self, name: str, password: str, role: Role, by: str, *, must_change: bool = False) -> Account:
        """Make an account. Raises WrongName, NameTaken, WeakPassword."""
        name = unicodedata.normalize("NFC", name.strip())
        if not _is_name(name):
            raise WrongName(name)
        hashed = self._checked(name, password)
        with self._database.changing() as db:
            if db.execute("SELECT 1 FROM accounts WHERE key = ?", (name_key(name),)).fetchone():
                raise NameTaken(name)
            self._insert(db, name, role, hashed, by, must_change)
            return self._find(db, name)

    def vouched_for(self, identity: Identity) -> Account:
        """
        The account of somebody for whom a provider vouches, with the role that it tells; made at the first log-in.

        Who somebody is, the provider's `subject` says alone: an account of the same name is never taken over, and a name that
        changed there stays what it was here. Raises WrongName and NameOfAnother.
        """
        name = unicodedata.normalize("NFC", identity.name.strip())
        hashed = self._hash(secrets.token_urlsafe())  # a password that nobody has
        with self._database.changing() as db:
            row = db.execute(
                f"SELECT {_COLUMNS} FROM accounts a JOIN identities i ON i.account = a.id WHERE i.issuer = ? AND i.subject = ?",
                (identity.issuer, identity.subject),
            ).fetchone()
            if row is None:
                if not _is_name(name):
                    raise WrongName(name)
                if db.execute("SELECT 1 FROM accounts WHERE key = ?", (name_key(name),)).fetchone():
                    raise NameOfAnother(name)
                number = self._insert(db, name, identity.role, hashed, f"{PROVIDER}{name}")
                db.execute("INSERT INTO identities VALUES (?, ?, ?)", (number, identity.issuer, identity.subject))
                return self._find(db, name)
            account = _account(row)
            if account.role != identity.role:
                db.execute("UPDATE accounts SET role = ? WHERE id = ?", (identity.role, account.id))
                self._audit.note(db, f"{PROVIDER}{account.name}", "account.role", account.name, identity.role)
            return self._find(db, account.name)

    def remove(self, name: str, by: str) -> None:
        """Remove an account and end its sessions. Raises NoSuchAccount; LastAdministrator while others remain."""
        with self._database.changing() as db:
            account = self._find(db, name)
            if ":" not in by:  # two administrators who remove each other in one moment would leave nobody
                self._find(db, by)
            if db.execute("SELECT 1 FROM accounts WHERE id != ?", (account.id,)).fetchone():
                self._keep_an_administrator(db, account)
            db.execute("DELETE FROM accounts WHERE id = ?", (account.id,))
            self._audit.note(db, by, "account.removed", account.name)

    def set_role(self, name: str, role: Role, by: str) -> None:
        """Raises NoSuchAccount, NotKeptHere and LastAdministrator. Holds from the account's next click."""
        with self._database.changing() as db:
            account = self._find_with_password(db, name)
            if account.role == role:
                return
            if role != "administrator":
                self._keep_an_administrator(db, account)
            db.execute("UPDATE accounts SET role = ? WHERE id = ?", (role, account.id))
            self._audit.note(db, by, "account.role", account.name, role)

    def set_password(self, name: str, password: str, by: str, *, must_change: bool = False) -> Account:
        """
        Change a password, end every session of the account and lift its lock. Raises NoSuchAccount, NotKeptHere, WeakPassword.
        """
        with self._database.using() as db:
            account = self._find_with_password(db, name)
        hashed = self._checked(account.name, password)
        with self._database.changing() as db:
            account = self._find_with_password(db, name)
            db.execute(
                "UPDATE accounts SET password = ?, password_at = ?, must_change = ? WHERE id = ?",
                (hashed, stamp(), must_change, account.id),
            )
            db.execute("DELETE FROM sessions WHERE account = ?", (account.id,))
            db.execute("DELETE FROM attempts WHERE name = ?", (self.signature("attempt", name_key(name)),))
            self._audit.note(db, by, "account.password", account.name)
            return self._find(db, name)

    def end_sessions(self, name: str, by: str) -> None:
        """Log an account out wherever it is logged in. Raises NoSuchAccount."""
        with self._database.changing() as db:
            account = self._find(db, name)
            db.execute("DELETE FROM sessions WHERE account = ?", (account.id,))
            self._audit.note(db, by, "account.logged_out", account.name)

    # ── logging in and out ──────────────────────────────────────────────────────────────────────────────────────

    def check(
        self, name: str, password: str, client: str, now: datetime | None = None, *, trusting: bool = True
    ) -> Account:
        """
        The account, when name and password go together. Raises Locked and WrongPassword.

        The attempt is counted before the password is looked at, so that many at a time cannot outrun the count. From an
        address that has logged in before nobody is refused unlooked-at: a stranger must not shut the owner out. `client` is
        an address, of which only a keyed digest is kept. Without `trusting`, as at a desk left open, that makes no difference.
        """
        moment = now or datetime.now(UTC)
        slot, here = self.signature("attempt", name_key(name)), self.place(client)
        with self._database.changing() as db:
            # A clock that was set back must not make anybody wait until it has caught up.
            db.execute("DELETE FROM attempts WHERE at < ? OR at > ?", (stamp(moment - 2 * LOCK), stamp(moment + LOCK)))
            found = db.execute(
                f"SELECT {_COLUMNS}, a.password FROM accounts a WHERE a.key = ?", (name_key(name),)
            ).fetchone()
            known = trusting and found and self.knows(db, found[0], here, moment)
            rows = db.execute("SELECT client, at FROM attempts WHERE name = ? ORDER BY at", (slot,)).fetchall()
            times = [when(at) for _, at in rows]
            times_here = [when(at) for place, at in rows if place == here]
            limit = 1 if _locked_until(times, FAILURES_IN_ALL, moment) else FAILURES_HERE
            if not known and (until := _locked_until(times_here, limit, moment)):
                raise Locked(until)
            db.execute("INSERT INTO attempts VALUES (?, ?, ?)", (slot, here, stamp(moment)))
        hashed = found[-1] if found else self._nobody
        if not self._verify(hashed, password) or not found:
            if found:  # a name that does not exist may be a password typed into the wrong box: it is not written down
                with self._database.changing() as db:
                    self._audit.note(db, found[1], "login.failed", now=now)
                    if not known and _locked_until([*times_here, moment], limit, moment):
                        self._audit.note(db, found[1], "login.locked", now=now)
            raise WrongPassword
        with self._database.changing() as db:
            db.execute("DELETE FROM attempts WHERE name = ? AND client = ?", (slot, here))
            if self._hasher.check_needs_rehash(hashed):
                db.execute("UPDATE accounts SET password = ? WHERE id = ?", (self._hash(password), found[0]))
        return _account(found[:-1])

    def place(self, client: str) -> str:
        """What is kept of an address: a keyed digest."""
        return self.signature("client", neighbourhood(client))

    def knows(self, db: Connection, account: int, here: str, moment: datetime) -> bool:
        """Whether an account has logged in from a place, with all that is asked for; inside a transaction."""
        values = (account, here, stamp(moment - KNOWN))
        return (
            db.execute("SELECT 1 FROM places WHERE account = ? AND client = ? AND at >= ?", values).fetchone()
            is not None
        )

    def _remember(self, db: Connection, account: int, here: str, moment: datetime) -> None:
        """This address is known to the account from now on; those longest unused are forgotten."""
        db.execute(
            "INSERT INTO places VALUES (?, ?, ?) ON CONFLICT (account, client) DO UPDATE SET at = excluded.at",
            (account, here, stamp(moment)),
        )
        db.execute("DELETE FROM places WHERE at < ?", (stamp(moment - KNOWN),))
        db.execute(
            "DELETE FROM places WHERE account = ? AND client NOT IN "
            "(SELECT client FROM places WHERE account = ? ORDER BY at DESC LIMIT ?)",
            (account, account, MOST_KNOWN),
        )

    def log_in(self, name: str, password: str, client: str, now: datetime | None = None) -> Session:
        """Check a password and begin a session. Raises Locked and WrongPassword."""
        return self.begin(self.check(name, password, client, now), client, now)

    def begin(self, account: Account, client: str, now: datetime | None = None) -> Session:
        """
        Begin a session of an account of which all is checked that is asked for, whose address is known from now on.
        WrongPassword when the password has changed meanwhile.
        """
        token = secrets.token_urlsafe(32)
        began = now or datetime.now(UTC)
        moment = stamp(began)
        with self._database.changing() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM accounts a WHERE a.id = ?", (account.id,)).fetchone()
            if not row or _account(row).password_at != account.password_at:
                raise WrongPassword
            self._remember(db, account.id, self.place(client), began)
            db.execute("DELETE FROM sessions WHERE begun_at < ?", (stamp(began - self._whole),))
            db.execute(
                "INSERT INTO sessions (digest, account, begun_at, used_at) VALUES (?, ?, ?, ?)",
                (_digest(token), account.id, moment, moment),
            )
            db.execute("UPDATE accounts SET seen_at = ? WHERE id = ?", (moment, account.id))
            self._audit.note(db, account.name, "login", now=now)
        return Session(_account(row), self._signer("session").sign(token).decode())

    def session(self, token: str, now: datetime | None = None) -> Session | None:
        """The session of a browser's token; None when it is forged, has ended, or was not used for long."""
        if (identifier := self._identifier(token)) is None:
            return None
        moment = now or datetime.now(UTC)
        with self._database.using() as db:
            row = db.execute(
                f"SELECT {_COLUMNS}, s.begun_at, s.used_at FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.digest = ?",
                (_digest(identifier),),
            ).fetchone()
            if row is None:
                return None
            begun, used = (when(value) for value in row[-2:])
            account = _account(row[:-2])
            foreign = account.issuer and account.issuer != self._issuer
            if foreign or abs(moment - begun) > self._whole or moment - used > self._idle:  # a clock may be set back
                db.execute("DELETE FROM sessions WHERE digest = ?", (_digest(identifier),))
                return None
            if moment - used > TOUCH:
                db.execute("UPDATE sessions SET used_at = ? WHERE digest = ?", (stamp(moment), _digest(identifier)))
        return Session(account, token)

    def log_out(self, session: Session) -> None:
        with self._database.changing() as db:
            db.execute("DELETE FROM sessions WHERE digest = ?", (_digest(self._identifier(session.token) or ""),))
            self._audit.note(db, session.account.name, "logout")

    def leave_message(self, session: Session, text: str) -> None:
        """Keep a text for the session's next page, in place of an earlier one."""
        with self._database.using() as db:
            values = (text, _digest(self._identifier(session.token) or ""))
            db.execute("UPDATE sessions SET message = ? WHERE digest = ?", values)

    def take_message(self, session: Session) -> str:
        """The text that was left for this session, which is forgotten with this; "" when there is none."""
        digest = _digest(self._identifier(session.token) or "")
        with self._database.using() as db:
            row = db.execute("SELECT message FROM sessions WHERE digest = ?", (digest,)).fetchone()
            if not row or not row[0]:
                return ""
            db.execute("UPDATE sessions SET message = '' WHERE digest = ?", (digest,))
        return str(row[0])

    def signature(self, purpose: str, value: str) -> str:
        """A keyed digest that only this installation can make; the same value signs differently for each purpose."""
        return self._signer(purpose).get_signature(value.encode("utf-8", "replace")).decode()

    def _signer(self, purpose: str) -> Signer:
        return Signer(self._key, salt=f"clusterqa.staff.{purpose}", digest_method=hashlib.sha256)

    def _identifier(self, token: str) -> str | None:
        """The random id of a signed token; None when we did not sign it, which costs no look into the file."""
        try:
            return str(self._signer("session").unsign(token.encode("utf-8", "replace")).decode())
        except BadSignature:
            return None

    # ── passwords ───────────────────────────────────────────────────────────────────────────────────────────────

    def _checked(self, name: str, password: str) -> str:
        """The hash of a password that is good enough for this account; raises WeakPassword."""
        if len(password) < MIN_PASSWORD:
            raise WeakPassword("password_short")
        if len(password) > MAX_PASSWORD:
            raise WeakPassword("password_long")
        if _guesses(password, name) < MIN_GUESSES:
            raise WeakPassword("password_guessable")
        return self._hash(password)

    def _hash(self, password: str) -> str:
        with self._hashing:
            return self._hasher.hash(_composed(password))

    def _verify(self, hashed: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        if len(password) > MAX_PASSWORD:
            password = ""
        with self._hashing:
            try:
                return self._hasher.verify(hashed, _composed(password))
            except (VerificationError, InvalidHashError):
                return False

    # ── inside a transaction ────────────────────────────────────────────────────────────────────────────────────

    def _find(self, db: Connection, name: str) -> Account:
        row = db.execute(f"SELECT {_COLUMNS} FROM accounts a WHERE a.key = ?", (name_key(name),)).fetchone()
        if row is None:
            raise NoSuchAccount(name)
        return _account(row)

    def _find_with_password(self, db: Connection, name: str) -> Account:
        account = self._find(db, name)
        if account.issuer:
            raise NotKeptHere(account.name)
        return account

    def _insert(self, db: Connection, name: str, role: Role, hashed: str, by: str, must_change: bool = False) -> int:
        now = stamp()
        (number,) = db.execute(
            "INSERT INTO accounts (key, name, role, password, password_at, must_change, added_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "RETURNING id",
            (name_key(name), name, role, hashed, now, must_change, now),
        ).fetchone()
        self._audit.note(db, by, "account.added", name, role)
        return int(number)

    def _keep_an_administrator(self, db: Connection, account: Account) -> None:
        """One who can log in when the provider is down, or no longer says that anybody is one."""
        others = "SELECT 1 FROM accounts WHERE id != ? AND role = 'administrator' AND id NOT IN (SELECT account FROM identities)"
        if account.administrates and not account.issuer and not db.execute(others, (account.id,)).fetchone():
            raise LastAdministrator(account.name)


def one_time_password() -> str:
    """A password to be given out and changed at the first log-in: 79 random bits, in groups of four for reading aloud."""
    return "-".join("".join(secrets.choice(_PASSWORD_LETTERS) for _ in range(4)) for _ in range(4))


def _guesses(password: str, name: str) -> float:
    """How many guesses a well-informed stranger would need, as zxcvbn estimates it, which knows no Lithuanian of its own."""
    from zxcvbn import zxcvbn

    words = [*re.split(r"[\W_]+", fold(name)), fold(name), *_LIKELY_WORDS.split()]
    begin = fold(_composed(password))[:72]  # the estimate's time grows with the square of the length
    return float(zxcvbn(begin, user_inputs=words)["guesses"])


def _account(row: tuple[object, ...]) -> Account:
    identifier, name, role, must_change, password_at, added_at, seen_at, issuer = row
    return Account(
        id=whole(identifier),
        name=str(name),
        role="administrator" if role == "administrator" else "editor",
        must_change=bool(must_change),
        password_at=when(password_at),
        added_at=when(added_at),
        seen_at=when(seen_at) if seen_at else None,
        issuer=str(issuer or ""),
    )


def _locked_until(failures: list[datetime], limit: int, now: datetime) -> datetime | None:
    """When the next attempt is allowed after these failures, oldest first; None when it is allowed now."""
    if not failures or now >= failures[-1] + LOCK:
        return None
    close = [at for at in failures if at > failures[-1] - LOCK]
    return failures[-1] + LOCK if len(close) >= limit else None


def _is_name(name: str) -> bool:
    """Whether an account can be called so: not by a name that looks like another one's, as with a Cyrillic a."""
    return _NAME.fullmatch(name) is not None and not findings(name)


def name_key(name: str) -> str:
    """What two spellings of one name have in common."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def _composed(password: str) -> str:
    """Letters with diacritics are typed in two ways on different keyboards and systems; both are one password."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace").decode()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
