"""Completion in a real bash: what the TAB key would offer, with names that only the server knows."""

import shutil
import subprocess
import time

import pytest

from client import connection
from processes import binary, free_port

# Calls the function as bash does: the words of the line, the cursor behind the last one.
ASK = """
set -u
source <("$1" completion bash)
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_wsm_apply
((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
"""


def tab(address, *words, cwd=None):
    program = binary("wsm-apply")
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", program, program, *words], capture_output=True,
        text=True, timeout=20, cwd=cwd, env={"PATH": "/usr/bin:/bin", "WSM_SERVER": address})
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_verbs_flags_and_values():
    address = f"127.0.0.1:{free_port()}"
    assert tab(address, "desc") == ["describe"]
    assert "explain" in tab(address, "")
    assert tab(address, "plan", "--pru") == ["--prune"]
    assert tab(address, "get", "-o", "nd") == ["ndjson"]
    assert tab(address, "get", "--output", "=", "ya") == ["yaml"]
    assert tab(address, "explain", "keepalive.pi") == ["keepalive.pingInterval"]


def test_files(tmp_path):
    (tmp_path / "my feed.yaml").touch()
    (tmp_path / "other").mkdir()
    address = f"127.0.0.1:{free_port()}"
    assert sorted(tab(address, "-f", "", cwd=tmp_path)) == ["my feed.yaml", "other"]
    assert tab(address, "validate", "--filename", "=", "my", cwd=tmp_path) == ["my feed.yaml"]


def test_live_names(server, client, peer, name):
    first, topic, owner = name(), name("topic"), name("set")
    client.apply(connection(first, peer.url(f"/{first}"), topic=topic), set=owner)
    address = server.process.address
    stem = first[:-3]
    assert first in tab(address, "get", stem)
    assert first in tab(address, "send", stem)
    assert f"connection/{first}" in tab(address, "describe", f"connection/{stem}")
    assert topic in tab(address, "tail", topic[:-3])
    assert owner in tab(address, "plan", "--set", owner[:-3])
    # The line's own --server is asked, not that of the environment.
    nowhere = f"127.0.0.1:{free_port()}"
    assert first in tab(nowhere, "--server", address, "get", stem)


def test_a_server_that_is_away_costs_no_second():
    started = time.monotonic()
    assert tab(f"127.0.0.1:{free_port()}", "send", "") == []
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("shell", [shell for shell in ("bash", "zsh", "fish") if shutil.which(shell)])
def test_the_scripts_parse(shell, tmp_path):
    script = tmp_path / "script"
    script.write_bytes(subprocess.run(
        [binary("wsm-apply"), "completion", shell], capture_output=True, check=True).stdout)
    subprocess.run([shell, "-n", str(script)], check=True, timeout=20)
