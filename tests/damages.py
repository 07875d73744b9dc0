"""Damage of every kind that a database of SQLite can take, drawn from a seed: bytes that turn, files cut short, rows changed."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

Damage = Callable[[Path, random.Random], str]
"""Does something to a database and says what."""

SMALL = (0, 1, -1, 7, 2**31, 2**62, "", "x", "[", "[]", "[[0, 4]]", b"", b"\x00", b"\xff\xfe", None, 0.5)


def turn_a_bit(path: Path, draw: random.Random) -> str:
    place = draw.randrange(path.stat().st_size)
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0] ^ (1 << draw.randrange(8))
        file.seek(place)
        file.write(bytes([byte]))
    return f"bit at {place}"


def overwrite(path: Path, draw: random.Random) -> str:
    size = draw.choice((1, 2, 16, 512, 4096))
    place = draw.randrange(path.stat().st_size)
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes(size) if draw.random() < 0.3 else draw.randbytes(size))
    return f"{size} bytes at {place}"


def cut(path: Path, draw: random.Random) -> str:
    size = draw.randrange(path.stat().st_size)
    if draw.random() < 0.5:
        size -= size % 4096  # where SQLite's pages end
    os.truncate(path, size)
    return f"cut to {size}"


def edit(path: Path, draw: random.Random) -> str:
    """A slip in SQL: one value or one row of any table, those of the lexical index and SQLite's own included."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        names = [
            name
            for (name,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'"
            )
        ]
        table = draw.choice([*names, "sqlite_master"])
        columns = [row[1] for row in db.execute(f"PRAGMA table_info('{table}')")]
        columns = columns or [row[0] for row in db.execute(f"SELECT * FROM {table}").description]
        column = draw.choice(columns)
        some = "(SELECT rowid FROM {0} ORDER BY rowid LIMIT 1 OFFSET abs({1}) % max(1, (SELECT count(*) FROM {0})))"
        one, other = (some.format(f"'{table}'", draw.randrange(1000)) for _ in range(2))
        value: object = draw.choice(SMALL)
        statement, values = draw.choice(
            (
                (f"UPDATE '{table}' SET \"{column}\" = ? WHERE rowid = {one}", (value,)),
                (f'UPDATE \'{table}\' SET "{column}" = "{column}" + {draw.choice((1, -1, 7))} WHERE rowid = {one}', ()),
                (f"UPDATE '{table}' SET \"{column}\" = \"{column}\" || 'x' WHERE rowid = {one}", ()),
                (f'UPDATE \'{table}\' SET "{column}" = substr("{column}", 2) WHERE rowid = {one}', ()),
                (
                    f"UPDATE '{table}' SET \"{column}\" = (SELECT \"{column}\" FROM '{table}' WHERE rowid = {other}) WHERE rowid = {one}",
                    (),
                ),
                (f"UPDATE '{table}' SET \"{column}\" = ?", (value,)),
                (f"UPDATE '{table}' SET rowid = -rowid WHERE rowid = {one}", ()),
                (f"DELETE FROM '{table}' WHERE rowid = {one}", ()),
                (f"DELETE FROM '{table}'", ()),
            )
        )
        try:
            db.execute(statement, values)
        except sqlite3.Error as error:
            return f"nothing, as {error}: {statement}"
    return f"{statement} {values}"


ALL: tuple[Damage, ...] = (turn_a_bit, overwrite, cut, edit, edit)


def damage(path: Path, seed: int) -> str:
    """Take one damage drawn from the seed to a database or, where there is one, its write-ahead log; says which."""
    draw = random.Random(seed)
    kind = draw.choice(ALL)
    log = path.with_name(path.name + "-wal")
    if kind is not edit and log.exists() and log.stat().st_size and draw.random() < 0.2:
        path = log
    return f"{seed}: {path.name}: {kind(path, draw)}"
