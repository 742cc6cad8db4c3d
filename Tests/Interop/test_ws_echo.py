"""ws-echo, which drives our client as the Autobahn test suite asks of one."""

import json
import pathlib
import subprocess
import sys

from processes import Process, binary, free_port

HERE = pathlib.Path(__file__).parent


def run(port, *arguments):
    return subprocess.run(
        [binary("ws-echo"), *arguments], env={"AUTOBAHN_URL": f"ws://127.0.0.1:{port}"},
        capture_output=True, text=True, timeout=120)


def test_every_case_is_echoed_and_reported(tmp_path):
    port, report = free_port(), tmp_path / "report.json"
    server = Process([sys.executable, HERE / "suite_server.py", port, report], tmp_path / "log")
    try:
        server.wait_for("listening")
        done = run(port)
        assert done.returncode == 0, done.stderr + server.log
        assert done.stdout == "ws-echo: cases 1 to 6 of 6\n"
        assert json.loads(report.read_text()) == {
            "wsm": {str(number): "ok, permessage-deflate" for number in range(1, 7)}}
        assert run(port, "2", "3").stdout == "ws-echo: cases 2 to 3 of 6\n"
    finally:
        server.kill()


def test_a_wrong_call_and_an_absent_server_are_told():
    port = free_port()
    for arguments in (["1"], ["0", "2"], ["a", "b"]):
        done = run(port, *arguments)
        assert done.returncode == 1 and "usage: " in done.stderr
    done = run(port)
    assert done.returncode == 1 and f"127.0.0.1:{port}" in done.stderr, done.stderr
