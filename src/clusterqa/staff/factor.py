"""
The second factor of an account: codes of an app on the telephone (TOTP), and recovery codes for when it is lost.

    secret = factors.offer(account)             for the app; nothing is asked for yet
    codes = factors.confirm(account, "123456")  from now on; the recovery codes are shown this once
    factors.check(account, "123456", client)    at each log-in, after the password
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from clusterqa.books import Connection
from clusterqa.staff.accounts import FAILURES_HERE, FAILURES_IN_ALL, LOCK, Account, AccountError, Accounts, Locked
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, stamp, unreadable, when, whole
from clusterqa.staff.tables import FACTORS

RECOVERY_CODES = 8
LONG = timedelta(days=1)
"""Within which FAILURES_IN_ALL are counted: whoever has the password then guesses a code once in fifty years, three being right at a time."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are read for one another


class WrongCode(AccountError):
    """The code is not the one of this moment, or was used already."""

    key = "wrong_code"

    def __init__(self) -> None:
        super().__init__(
            "The code is wrong or was used already. Wait for the next one; check the clock of the telephone."
        )


class Factors:
    """Thread-safe. Every change writes its line of the audit log in the same transaction."""

    def __init__(self, database: Database, audit: Audit, accounts: Accounts) -> None:
        self._database = database
        self._audit = audit
        self._accounts = accounts
        database.prepare(FACTORS)

    def on(self, account: Account) -> bool:
        """Whether a code is asked for at the log-in."""
        with self._database.using() as db:
            return _confirmed(db, account) is not None

    def left(self, account: Account) -> int:
        """How many recovery codes are unused."""
        with self._database.using() as db:
            row = db.execute("SELECT count(*) FROM recovery_codes WHERE account = ?", (account.id,)).fetchone()
        return int(row[0])

    def offer(self, account: Account) -> str:
        """The secret for the app, in Base32; the same one until it is confirmed."""
        import pyotp

        with self._database.changing() as db:
            db.execute(
                "INSERT INTO factors VALUES (?, ?, NULL, 0) ON CONFLICT DO NOTHING", (account.id, pyotp.random_base32())
            )
            row = db.execute("SELECT secret FROM factors WHERE account = ?", (account.id,)).fetchone()
        return str(row[0])

    def forget_offer(self, account: Account) -> None:
        """A secret that nobody confirmed may have been seen by whoever stood at the screen: the next offer is another."""
        with self._database.using() as db:
            db.execute("DELETE FROM factors WHERE account = ? AND confirmed_at IS NULL", (account.id,))

    def confirm(self, account: Account, code: str, now: datetime | None = None) -> list[str]:
        """Ask for codes from now on, when this one is right; gives the recovery codes. Raises WrongCode."""
        moment = now or datetime.now(UTC)
        codes = [
            "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
            for _ in range(RECOVERY_CODES)
        ]
        with self._database.changing() as db:
            row = db.execute(
                "SELECT secret, last_step, confirmed_at FROM factors WHERE account = ?", (account.id,)
            ).fetchone()
            step = _step(row[0], code, moment, whole(row[1])) if row and row[2] is None else None
            if step is None:
                raise WrongCode
            values = (stamp(moment), step, account.id)
            db.execute("UPDATE factors SET confirmed_at = ?, last_step = ? WHERE account = ?", values)
            db.executemany("INSERT INTO recovery_codes VALUES (?, ?)", [(_digest(code), account.id) for code in codes])
            self._audit.note(db, account.name, "account.factor_on", account.name, now=now)
        return codes

    def remove(self, account: Account, by: str) -> None:
        """Ask for no code any more; without a factor nothing changes."""
        with self._database.changing() as db:
            db.execute("DELETE FROM code_failures WHERE account = ?", (account.id,))
            if db.execute("DELETE FROM factors WHERE account = ?", (account.id,)).rowcount:
                self._audit.note(db, by, "account.factor_off", account.name)

    def check(self, account: Account, code: str, client: str, now: datetime | None = None) -> None:
        """
        Take a code of the app, or a recovery code, each once. Raises WrongCode, and Locked after too many wrong ones: from one
        address, and from all together where the account has not logged in before.
        """
        moment = now or datetime.now(UTC)
        here = self._accounts.place(client)
        with self._database.changing() as db:
            db.execute("DELETE FROM code_failures WHERE at < ? OR at > ?", (stamp(moment - LONG), stamp(moment + LOCK)))
            rows = db.execute(
                "SELECT client, at FROM code_failures WHERE account = ? ORDER BY at", (account.id,)
            ).fetchall()
            times = [when(at) for _, at in rows]
            times_here = [when(at) for place, at in rows if place == here and when(at) > moment - LOCK]
            if len(times_here) >= FAILURES_HERE:
                raise Locked(times_here[-FAILURES_HERE] + LOCK)
            # Whoever has the password, and not the telephone, must not shut the owner out.
            if len(times) >= FAILURES_IN_ALL and not self._accounts.knows(db, account.id, here, moment):
                raise Locked(times[-FAILURES_IN_ALL] + LONG)
            row = _confirmed(db, account)
            step = _step(row[0], code, moment, row[1]) if row else None
            if step is not None:
                db.execute("UPDATE factors SET last_step = ? WHERE account = ?", (step, account.id))
            used = "DELETE FROM recovery_codes WHERE account = ? AND digest = ?"
            if step is not None or db.execute(used, (account.id, _digest(code))).rowcount:
                return
            # In the transaction that looked at it, so that many at a time cannot outrun the count.
            db.execute("INSERT INTO code_failures VALUES (?, ?, ?)", (account.id, here, stamp(moment)))
            self._audit.note(db, account.name, "login.code_failed", now=now)
        raise WrongCode


def _confirmed(db: Connection, account: Account) -> tuple[str, int] | None:
    row = db.execute(
        "SELECT secret, last_step FROM factors WHERE account = ? AND confirmed_at IS NOT NULL", (account.id,)
    ).fetchone()
    return (row[0], whole(row[1])) if row else None


def _step(secret: str, code: str, moment: datetime, last: int) -> int | None:
    """The half-minute that a code is of, one before and one after this one allowed; None when it is wrong or used."""
    import pyotp

    try:
        totp = pyotp.TOTP(secret)
        now = totp.timecode(moment)
        right = {step: totp.generate_otp(step).encode() for step in (now - 1, now, now + 1)}
    except (ValueError, TypeError, AttributeError) as error:  # only damage makes a secret that is none
        raise unreadable(error) from error
    given = "".join(code.split()).encode("utf-8", "replace")
    if last > now + 1:  # the clock was set back; codes of that future would be waited for in vain
        last = 0
    return next((step for step in right if step > last and secrets.compare_digest(right[step], given)), None)


def _digest(code: str) -> str:
    return hashlib.sha256("".join(code.lower().replace("-", "").split()).encode("utf-8", "replace")).hexdigest()
