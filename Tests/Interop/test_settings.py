"""Settings of wsm-server: where they come from, and how it logs."""

import datetime
import json
import re
import subprocess

import pytest
import yaml

from processes import Process, binary
from stubs import REPOSITORY
from waiting import eventually


def run(*arguments, env=None):
    return subprocess.run(
        [binary("wsm-server"), *map(str, arguments)], env={"HOME": "/nowhere", **(env or {})},
        capture_output=True, text=True, timeout=20)


def test_print_config_shows_every_value_and_its_origin(tmp_path):
    file = tmp_path / "wsm.yaml"
    file.write_text("# settings\ndrainTimeout: 3s\nbufferLimit: 64MiB\n")
    result = run(
        "--print-config", "-o", "json", "--config", file, "-g", 7001,
        env={"WSM_BUFFER_LIMIT": "32MiB", "HttpPort": "7002"})
    assert result.returncode == 0, result.stderr
    shown = {entry["name"]: entry for entry in json.loads(result.stdout)}
    assert shown["grpc-port"]["value"] == 7001
    assert shown["grpc-port"]["origin"] == {"kind": "flag", "name": "--grpc-port"}
    assert shown["buffer-limit"]["origin"] == {"kind": "environment", "name": "WSM_BUFFER_LIMIT"}
    assert shown["http-port"]["origin"] == {"kind": "environment", "name": "HttpPort"}
    assert shown["drain-timeout"]["value"] == "3s"
    assert shown["drain-timeout"]["origin"]["file"] == str(file)
    assert shown["drain-timeout"]["origin"]["line"] == 2
    assert shown["dial-rate"]["origin"] == {"kind": "default"}
    text = run("--print-config", "-g", 7001).stdout
    assert re.search(r"^grpc-port +7001 +flag --grpc-port$", text, re.M), text


def deployed():
    """What is set up to run: the sidecar's own size, and the settings of its server."""
    compose = yaml.safe_load((REPOSITORY / "deploy/compose.yaml").read_text())
    sidecar = next(a for a in compose["x-sidecar"]["command"] if a.startswith("--max-body-size="))
    yield "compose", sidecar.split("=")[1], compose["x-server"]["environment"]
    base = REPOSITORY / "deploy/kubernetes/base/deployment.yaml"
    template = yaml.safe_load(base.read_text())["spec"]["template"]
    environment = {e["name"]: e.get("value", "") for e in template["spec"]["containers"][0]["env"]}
    yield "kubernetes", template["metadata"]["annotations"]["dapr.io/max-body-size"], environment


@pytest.mark.parametrize("name, sidecar, environment", list(deployed()))
def test_server_and_sidecar_are_set_up_with_one_size(name, sidecar, environment):
    text = environment["WSM_DAPR_MAX_BODY_SIZE"]
    result = run("--print-config", "-o", "json", "--state", "dapr", "--bus", "dapr",
                 env={"WSM_DAPR_MAX_BODY_SIZE": text})
    assert result.returncode == 0, result.stderr
    shown = {entry["name"]: entry["value"] for entry in json.loads(result.stdout)}
    # The sidecar writes quantities as Kubernetes does: 16Mi.
    assert shown["dapr-max-body-size"] == sidecar + "B"


def test_every_fault_is_told_and_the_exit_code_is_2(tmp_path):
    file = tmp_path / "wsm.yaml"
    file.write_text("grpcPrt: 1\nlogLevel: loud\n")
    result = run("--config", file, "--http-port", "99999", env={"WSM_DIAL_RATE": "fast"})
    assert result.returncode == 2
    for sentence in [
            f"{file}:1:1: grpcPrt: unknown key (did you mean grpcPort?)",
            f"{file}:2:11: logLevel: ", "--http-port is 99999: ", "WSM_DIAL_RATE is fast: "]:
        assert sentence in result.stderr, result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("flag", ["-?", "-h", "--help"])
def test_help_names_every_flag(flag):
    result = run(flag)
    assert result.returncode == 0
    assert "--api-max-attempts" in result.stdout and "--grpc-port" in result.stdout


@pytest.fixture
def start(tmp_path):
    processes = []

    def make(*arguments, env=None):
        process = Process(
            [binary("wsm-server"), "--grpc-port", 0, "--http-port", 0, "--data-dir",
             tmp_path / "data", *arguments], tmp_path / "server.log", env)
        processes.append(process)
        return process

    yield make
    for process in processes:
        process.kill()


def test_a_start_line_of_the_older_service_works(start):
    process = start(
        "-n", "pubsub", "-t", "statestore", "-l", "Information",
        env={"DaprGrpcPort": "50001", "WSM_GRPC_PROT": "1"})
    process.wait_for(r"ready")
    assert "--pubsub-name (flag --pubsub-name) has no effect" in process.log
    assert "did you mean WSM_GRPC_PORT?" in process.log
    assert process.terminate()[0] == 0


def test_json_logs_are_one_object_a_line_in_utc(start):
    process = start("--log-format", "json")
    process.wait_for(r'"msg":"ready"')
    assert process.terminate()[0] == 0
    lines = [json.loads(line) for line in process.log.splitlines()]
    ready = next(line for line in lines if line["msg"] == "ready")
    assert ready["level"] == "info" and ready["label"] == "wsm-server"
    assert ready["grpc"].startswith("127.0.0.1:")
    at = datetime.datetime.fromisoformat(ready["ts"])
    assert at.utcoffset() == datetime.timedelta(0)
    assert abs(at - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=1)


def test_a_peer_cannot_forge_a_log_line(new_server, new_peer):
    life, peer = new_server(), new_peer()
    life.client.connect(peer.url("/mute/forge"), False)
    session = eventually(lambda: peer.session("/mute/forge"), 10, "the session")
    forged = "bye\n2026-01-01T00:00:00Z critical wsm-server: [Manager] forged"
    session.close(1008, forged)
    line = life.process.wait_for(r".*forged.*").group(0)
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z info wsm-server: ", line), line
    assert 'reason="bye\\n2026-01-01' in line, line


def test_none_logs_nothing(start):
    process = start("--log-level", "None")
    eventually(lambda: (process.log_path.parent / "data" / "state.sqlite").exists(), 20, "its state")
    assert process.terminate()[0] == 0
    assert process.log == ""
