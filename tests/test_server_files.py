"""The files in docs/server/ that put clusterqa on a server: systemd's unit, the container, the two containers with a proxy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterqa.extras import MODULES
from clusterqa.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
SERVER = ROOT / "docs" / "server"
CONTAINERFILE = (SERVER / "Containerfile").read_text(encoding="utf-8")
UNIT = (SERVER / "clusterqa.service").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((SERVER / "compose.yml").read_text(encoding="utf-8"))
    return read


def instructions(name: str) -> list[str]:
    """What stands after an instruction of the Containerfile, with its continued lines joined."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", CONTAINERFILE, flags=re.MULTILINE))
    return [line.removeprefix(f"{name} ").strip() for line in text.splitlines() if line.startswith(f"{name} ")]


def settings_named(text: str) -> set[str]:
    return {name.removeprefix(PREFIX).lower() for name in re.findall(rf"\b{PREFIX}[A-Z_]+", text)}


# ── systemd ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_unit_and_finds_little_that_is_exposed(tmp_path: Path) -> None:
    unit = tmp_path / "clusterqa.service"
    unit.write_text(UNIT.replace("/opt/clusterqa/bin/clusterqa", sys.executable), encoding="utf-8")
    for command in (["verify"], ["security", "--offline=true", "--no-pager", "--threshold=15"]):
        done = subprocess.run(["systemd-analyze", *command, unit], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr.strip(), done.stdout + done.stderr


# ── the container ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_container_runs_a_user_without_rights() -> None:
    assert instructions("USER") == ["10001"]
    assert CONTAINERFILE.index("\nUSER ") < CONTAINERFILE.index("\nENTRYPOINT ")
    assert [json.loads(line) for name in ("ENTRYPOINT", "CMD") for line in instructions(name)] == [
        ["clusterqa"],
        ["serve"],
    ]


def test_the_container_and_compose_name_settings_extras_and_files_that_are_there(compose: dict[str, Any]) -> None:
    named = settings_named(CONTAINERFILE) | settings_named(json.dumps(compose))
    assert {"host", "corpus", "data", "proxy", "hosts"} == named and named <= set(Settings.model_fields)
    (installed,) = re.findall(r"'\.\[([\w,]+)\]'", CONTAINERFILE)
    assert set(installed.split(",")) <= set(MODULES)
    build = compose["services"]["clusterqa"]["build"]
    assert (SERVER / build["context"] / build["dockerfile"]).resolve() == SERVER / "Containerfile"


def test_the_container_is_built_from_all_that_the_package_is_made_of() -> None:
    let_in = {
        line.removeprefix("!").strip()
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    assert all((ROOT / name).exists() for name in let_in)
    assert {"constraints.txt", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "src", "corpus"} == let_in


@pytest.mark.parametrize("name", ["clusterqa", "proxy"])
def test_each_container_is_read_only_and_without_rights(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_proxy_shares_the_network_so_that_one_configuration_serves_both_ways(compose: dict[str, Any]) -> None:
    proxy, server = compose["services"]["proxy"], compose["services"]["clusterqa"]
    assert proxy["network_mode"] == "service:clusterqa"
    assert server["environment"]["CLUSTERQA_HOST"] == server["environment"]["CLUSTERQA_PROXY"] == "127.0.0.1"
    nginx = (SERVER / "nginx.conf").read_text(encoding="utf-8")
    assert "server 127.0.0.1:7860;" in nginx and f"server_name {server['environment']['CLUSTERQA_HOSTS']};" in nginx
    sources = [volume.split(":")[1] for volume in proxy["volumes"]]
    assert all(path in nginx for path in sources if path.startswith("/etc/ssl"))


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="needs docker-compose")
def test_compose_takes_the_file() -> None:
    done = subprocess.run(
        ["docker-compose", "-f", SERVER / "compose.yml", "config", "--quiet"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# ── as the container runs it, by the same means of the kernel ───────────────────────────────────────────────────

INSIDE = """
import json, os, subprocess, sys, time, urllib.request
from pathlib import Path
state, health = Path(sys.argv[1]), json.loads(sys.argv[2])
os.environ.update(CLUSTERQA_CORPUS=str(state / "corpus"), CLUSTERQA_DATA=str(state / "data"), PYTHONDONTWRITEBYTECODE="1")
told = {"user": os.getuid(), "rights": Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0]}
try:
    Path(sys.prefix, "written").touch()
    told["root"] = "writable"
except OSError as error:
    told["root"] = error.strerror
server = subprocess.Popen([sys.executable, "-m", "clusterqa", "serve"], cwd=state, stderr=subprocess.DEVNULL)
for _ in range(3000):
    try:
        urllib.request.urlopen("http://127.0.0.1:7860/readyz").close()
        break
    except OSError:
        time.sleep(0.1)
told["health"] = subprocess.run([sys.executable, *health[1:]]).returncode
body = json.dumps({"question": "How long is the Bronze Label valid?"}).encode()
asked = urllib.request.Request("http://127.0.0.1:7860/api/v1/ask", body, {"Content-Type": "application/json"})
with urllib.request.urlopen(asked) as answer:
    told["reply"] = json.load(answer)["quotes"][0]["text"]
server.terminate()
server.wait()
told["health afterwards"] = subprocess.run([sys.executable, *health[1:]], stderr=subprocess.DEVNULL).returncode
print(json.dumps(told))
"""
CONFINED = ("--unshare-all", "--uid", "10001", "--gid", "10001", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev",
            "--proc", "/proc", "--tmpfs", "/tmp", "--ro-bind", sys.prefix, sys.prefix, "--ro-bind", str(ROOT), str(ROOT),
            "--die-with-parent", "--new-session")  # fmt: skip


def can_be_confined() -> bool:
    bwrap = shutil.which("bwrap")
    return bool(bwrap) and subprocess.run([str(bwrap), *CONFINED, "true"], capture_output=True).returncode == 0


@pytest.mark.encoder
@pytest.mark.skipif(not can_be_confined(), reason="needs bubblewrap, and a kernel that lets it work")
def test_it_indexes_serves_and_is_healthy_on_a_read_only_root_without_rights_and_without_a_network(
    tmp_path: Path,
) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "bronze.en.md").write_text("# Bronze\n\nThe Bronze Label is valid for two years.\n")
    health = instructions("HEALTHCHECK")[0].partition("CMD ")[2]
    done = subprocess.run(
        ["bwrap", *CONFINED, "--bind", tmp_path, tmp_path, sys.executable, "-c", INSIDE, tmp_path, health],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["user"], told["rights"], told["root"]) == (10001, "0000000000000000", "Read-only file system")
    assert (told["health"], told["health afterwards"]) == (0, 1)
    assert "The Bronze Label is valid for two years." in told["reply"]


def test_the_guide_names_every_file_for_a_server() -> None:
    assert [path.name for path in sorted(SERVER.iterdir()) if f"server/{path.name}" not in OPERATIONS] == []
