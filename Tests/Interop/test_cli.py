"""wsm-apply against a real server: results, exit codes, output for people and for programs."""

import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import time

import pytest
import yaml

from client import connection, connection_set
from processes import binary
from stubs import REPOSITORY
from waiting import eventually, stays

DONE, DIFFERENT, INVALID, UNREACHABLE, CONFLICT, PARTIAL, TIMED_OUT, GUARD, STALLED = range(9)
ESCAPE = "\x1b"


class Result:
    def __init__(self, completed):
        self.code = completed.returncode
        self.out, self.err = (
            text.decode(errors="replace") for text in (completed.stdout, completed.stderr))
        self.raw = completed.stdout

    def expect(self, code, *texts):
        assert self.code == code, f"exit code {self.code}\n{self.out}\n{self.err}"
        for text in texts:
            assert text in self.out + self.err, f"{text!r} in\n{self.out}\n{self.err}"
        return self


@pytest.fixture
def cli(server, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "WSM_SERVER")}

    def run(*arguments, input=b"", timeout=40, **env):
        return Result(subprocess.run(
            [binary("wsm-apply"), *map(str, arguments)], input=input, capture_output=True,
            cwd=tmp_path, timeout=timeout,
            env={**environment, "WSM_SERVER": server.process.address, **env}))

    return run


@pytest.fixture
def start(server, tmp_path):
    """A command that goes on while the test does."""
    running = []

    def run(*arguments):
        running.append(subprocess.Popen(
            [binary("wsm-apply"), *map(str, arguments)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
            env={**os.environ, "WSM_SERVER": server.process.address}))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def set(name):
    return name("s")


@pytest.fixture
def directory(tmp_path, peer, set):
    """Three files, one of them in a directory below; a file that is none of ours."""
    root = tmp_path / "manifests"
    (root / "below").mkdir(parents=True)
    for letter, place in (("a", "a.yaml"), ("b", "below/b.yml"), ("c", "c.json")):
        document = connection(f"{set}-{letter}", peer.url(f"/echo/{set}/{letter}"),
                              topic=f"{set}.{letter}")
        text = json.dumps(document) if place.endswith("json") else yaml.safe_dump(document)
        (root / place).write_text(text)
    (root / "README.md").write_text("no manifest: [")
    return root


def write(path, *documents):
    path.write_text(yaml.safe_dump_all(documents))
    return path


# apply, diff, plan


def test_a_directory_is_applied_twice(cli, peer, directory, set):
    first = cli("-f", directory, "--set", set, "--wait", "--timeout", "20s").expect(DONE)
    for letter in "abc":
        assert f"connection/{set}-{letter} created" in first.out
    assert "3 created, 0 configured, 0 unchanged, 0 pruned, 0 failed" in first.out
    assert "3 connections are Ready" in first.out
    cli("diff", "-f", directory, "--set", set).expect(DONE)
    again = cli("apply", "-f", directory, "--set", set, "--prune").expect(DONE)
    assert "0 created, 0 configured, 3 unchanged, 0 pruned, 0 failed" in again.out
    stays(lambda: [len(peer.dials(f"/echo/{set}/{l}")) for l in "abc"] == [1, 1, 1], 0.3, "dialled")


def test_diff_and_plan_say_what_apply_does(cli, peer, directory, set):
    cli("-f", directory, "--set", set, "--wait").expect(DONE)
    document = connection(f"{set}-a", peer.url(f"/echo/{set}/a"), topic=f"{set}.new")
    write(directory / "a.yaml", document)
    diff = cli("diff", "-f", directory, "--set", set).expect(DIFFERENT)
    assert f"-topic: {set}.a" in diff.out and f"+topic: {set}.new" in diff.out
    assert "url" not in diff.out
    plan = cli("plan", "-f", directory, "--set", set).expect(DONE)
    assert f"~   connection/{set}-a" in plan.out and "-/+" not in plan.out
    cli("-f", directory, "--set", set, "--wait").expect(DONE, "1 configured")
    assert len(peer.dials(f"/echo/{set}/a")) == 1
    cli("diff", "-f", directory, "--set", set).expect(DONE)

    document["spec"]["url"] = peer.url(f"/echo/{set}/a2")
    write(directory / "a.yaml", document)
    plan = cli("plan", "-f", directory, "--set", set, "--prune").expect(DONE)
    assert f"-/+ connection/{set}-a cuts the socket: url" in plan.out
    assert "1 live socket will be cut" in plan.out
    machine = json.loads(cli("plan", "-f", directory, "--set", set, "-o", "json").expect(DONE).out)
    assert machine["summary"]["cutSockets"] == 1
    assert [r["name"] for r in machine["results"] if r["cutsSocket"]] == [f"{set}-a"]
    assert peer.live(f"/echo/{set}/a")
    cli("-f", directory, "--set", set, "--wait").expect(DONE, "1 configured (1 reconnect)")
    eventually(lambda: not peer.live(f"/echo/{set}/a") and peer.live(f"/echo/{set}/a2"), 10)
    assert len(peer.dials(f"/echo/{set}/b")) == len(peer.dials(f"/echo/{set}/c")) == 1

    (directory / "c.json").unlink()
    cli("diff", "-f", directory, "--set", set).expect(DONE)
    cli("diff", "-f", directory, "--set", set, "--prune").expect(DIFFERENT, f"{set}-c")
    cli("-f", directory, "--set", set).expect(DONE, "0 pruned")
    cli("-f", directory, "--set", set, "--prune").expect(DONE, "1 pruned",
                                                         f"connection/{set}-c pruned")
    eventually(lambda: not peer.live(f"/echo/{set}/c"), 10)
    assert peer.live(f"/echo/{set}/a2") and peer.live(f"/echo/{set}/b")


def test_a_dry_run_changes_nothing(cli, client, peer, directory, set):
    result = cli("-f", directory, "--set", set, "--dry-run", "-o", "json").expect(DONE)
    answer = json.loads(result.out)
    assert answer["dryRun"] is True and answer["summary"]["created"] == 3
    assert client.objects(set=set) == []
    cli("-f", directory, "--dry-run", "--wait").expect(INVALID, "--wait")


def test_standard_input(cli, client, peer, set):
    document = connection(set, peer.url(f"/mute/{set}"))
    cli("-f", "-", "--set", set, input=yaml.safe_dump(document).encode()).expect(DONE, "1 created")
    cli("-f", "-", "--set", set, input=json.dumps(document).encode()).expect(DONE, "1 unchanged")
    text = f"---\n{yaml.safe_dump(document)}---\n".replace("\n", "\r\n")
    many = b"\xef\xbb\xbf" + text.encode()
    cli("-f", "-", "--set", set, input=many).expect(DONE, "1 unchanged")
    cli("-f", "-", "--set", set, input=b"").expect(INVALID)
    assert client.get(set).set == set


def test_get_as_yaml_applied_again_changes_nothing(cli, client, peer, directory, set):
    write(directory / "set.yaml", connection_set(
        set, set + "-m-{{n}}", {"url": peer.url("/mute/%s/{{n}}" % set), "topic": set},
        list=[{"n": 1}, {"n": 2}]))
    write(directory / "full.yaml", connection(
        f"{set}-full", peer.url(f"/mute/{set}/full"), topic=set,
        labels={"yes": "no", "n": "1", "ü": "on"},
        annotations={"text": "line\n  two: [\t'\"", "empty": ""},
        headers={"X-A": "null", "X-B": "1.0"},
        onOpen=[{"text": "a\r\nb\n"}, {"base64": "AAE="}], correlation={"mode": "next"}))
    cli("-f", directory, "--set", set, "--wait").expect(DONE)
    facts = lambda: {o.name: (o.generation, o.json.split(b'"status"')[0])
                     for o in client.objects(set=set)}
    before = facts()
    shown = cli("get", "--set", set, "-o", "yaml").expect(DONE)
    again = cli("apply", "--set", set, "-f", "-", input=shown.raw).expect(DONE)
    nothing = r"^0 created, 0 configured, \d+ unchanged, 0 pruned, 0 failed$"
    assert re.search(nothing, again.out, re.M)
    assert facts() == before
    cli("diff", "--set", set, "-f", "-", "--prune", input=shown.raw).expect(DONE)
    assert all(len(s) == 1 for s in (peer.dials(f"/mute/{set}/1"), peer.dials(f"/mute/{set}/full")))


def test_adopting_what_the_api_made(cli, client, peer, tmp_path, set):
    id = client.connect(peer.url(f"/mute/{set}"), True, tags={"k": "v"}).id
    client.start_publish(id, set)
    shown = cli("get", id, "-o", "yaml").expect(DONE)
    cli("apply", "-f", "-", "--set", set, input=shown.raw).expect(CONFLICT, "grpc", "--adopt")
    cli("apply", "-f", "-", "--set", set, "--adopt", input=shown.raw).expect(DONE, "1 adopted")
    assert client.get(id).set == set and len(peer.dials(f"/mute/{set}")) == 1


# Exit codes


def test_validate_is_offline_and_names_every_problem(cli, tmp_path, peer, set):
    good = write(tmp_path / "good.yaml", connection(set, peer.url("/mute/x")))
    cli("validate", "-f", good, WSM_SERVER="127.0.0.1:1").expect(DONE, "1 object valid")
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "apiVersion: wsm.virtufin.com/v1\nkind: Connection\nmetadata:\n  name: Upper\nspec:\n"
        "  ulr: ws://x\n  autoReconnect: yes\n  timeouts: {dial: 5}\n"
        "---\nkind: Nothing\n")
    result = cli("validate", "-f", bad, WSM_SERVER="127.0.0.1:1").expect(INVALID)
    text = result.out + result.err
    for place in ("bad.yaml:4:9: ", "bad.yaml:6:3: ", "bad.yaml:7:18: ", "bad.yaml:8:20: ",
                  "bad.yaml:10:"):
        assert place in text, f"{place} in\n{text}"
    assert "did you mean url" in text
    # Nothing is applied of an input with a problem anywhere.
    cli("-f", good, "-f", bad, "--set", set).expect(INVALID, "bad.yaml:6:3")
    cli("get", set).expect(DIFFERENT)
    twice = cli("validate", "-f", good, "-f", write(
        tmp_path / "again.yaml", connection(set, peer.url("/mute/x")))).expect(INVALID)
    assert "good.yaml" in twice.err and "again.yaml" in twice.err


@pytest.mark.parametrize(
    "arguments",
    [(), ("apply",), ("frobnicate",), ("-f", "absent.yaml"), ("-f", "/dev/null", "--wait=Never"),
     ("-f", "x", "--max-prune", "x"), ("get", "-o", "pdf"), ("tail",), ("send", "x"), ("delete",),
     ("get", "--server", "a:b:c"), ("tail", "a b"), ("get", "-l", "a==(")])
def test_wrong_usage_is_exit_2(cli, arguments):
    result = cli(*arguments).expect(INVALID)
    assert result.err and not result.out


def test_no_server_is_exit_3(cli, tmp_path, peer, set):
    good = write(tmp_path / "good.yaml", connection(set, peer.url("/mute/x")))
    for arguments in (("-f", good), ("diff", "-f", good), ("get",), ("tail", "t"), ("delete", "x"),
                      ("send", "x", "y"), ("describe", "x")):
        result = cli(*arguments, "--server", "127.0.0.1:1", timeout=30).expect(UNREACHABLE)
        assert "127.0.0.1:1" in result.err
    cli("get", WSM_SERVER="127.0.0.1:1").expect(UNREACHABLE)
    # A port where something else answers.
    cli("get", "--server", f"127.0.0.1:{peer.port}", timeout=30).expect(UNREACHABLE)


def test_conflicts_are_exit_4_and_partly_applied_5(cli, tmp_path, client, peer, directory, set):
    cli("-f", directory, "--set", set).expect(DONE)
    other = set + "-other"
    stolen = connection(f"{set}-a", peer.url(f"/echo/{set}/a"), topic="stolen")
    mine = connection(other, peer.url(f"/mute/{other}"))
    one = write(tmp_path / "one.yaml", stolen)
    cli("-f", one, "--set", other).expect(CONFLICT, set, "--adopt")
    assert client.get(f"{set}-a").topic == f"{set}.a"
    both = write(tmp_path / "both.yaml", stolen, mine)
    cli("-f", both, "--set", other).expect(PARTIAL, "1 created", "1 conflict")
    stale = client.document(f"{set}-b")
    stale["metadata"]["resourceVersion"] = "99"
    stale["spec"]["topic"] = "stale"
    cli("-f", write(tmp_path / "stale.yaml", stale), "--set", set).expect(
        CONFLICT, "resourceVersion")
    cli("-f", one, "--set", other, "--adopt").expect(DONE, "1 adopted")
    assert client.get(f"{set}-a").set == other


def test_a_wait_that_times_out_is_exit_6(cli, tmp_path, peer, set):
    hung = write(tmp_path / "hung.yaml", connection(set, peer.url(f"/hang/{set}")))
    result = cli("-f", hung, "--set", set, "--wait", "--timeout", "500ms").expect(TIMED_OUT)
    assert f"connection/{set}" in result.err and "500ms" in result.err
    mute = write(tmp_path / "mute.yaml", connection(f"{set}-m", peer.url(f"/mute/{set}")))
    result = cli("-f", mute, "--set", set, "--wait=FirstMessage", "--timeout", "700ms")
    result.expect(TIMED_OUT, "no message yet")


def test_the_prune_guard_is_exit_7(cli, client, tmp_path, peer, set):
    documents = [connection(f"{set}-{n}", peer.url(f"/mute/{set}/{n}")) for n in range(8)]
    file = write(tmp_path / "all.yaml", *documents)
    empty = tmp_path / "empty"
    empty.mkdir()
    cli("-f", file, "--set", set, "--wait").expect(DONE)
    cli("-f", empty, "--set", set, "--prune").expect(GUARD, "--allow-empty")
    cli("-f", empty, "--set", set, "--prune", "--allow-empty").expect(GUARD, "--max-prune")
    write(file, *documents[6:])
    for verb in ("apply", "plan", "diff"):
        cli(verb, "-f", file, "--set", set, "--prune").expect(GUARD, "6")
    assert all(peer.live(f"/mute/{set}/{n}") for n in range(8))
    cli("-f", file, "--set", set, "--prune", "--max-prune", "75%").expect(DONE, "6 pruned")
    cli("-f", empty, "--set", set, "--prune", "--allow-empty").expect(DONE, "2 pruned")
    assert client.objects(set=set) == []


def test_failing_for_good_while_waiting_is_exit_8(cli, tmp_path, peer, set):
    start = time.monotonic()
    dead = write(tmp_path / "dead.yaml", connection(
        set, peer.url(f"/status/{set}?code=500"),
        reconnect={"base": "10ms", "cap": "20ms", "maxAttempts": 2}))
    result = cli("-f", dead, "--set", set, "--wait", "--timeout", "30s").expect(STALLED)
    assert "AttemptsExhausted" in result.err and "500" in result.err
    once = write(tmp_path / "once.yaml", connection(
        f"{set}-once", peer.url(f"/status/{set}?code=404"), autoReconnect=False))
    cli("-f", once, "--set", set, "--wait", "--timeout", "30s").expect(STALLED, "404")
    secret = write(tmp_path / "secret.yaml", connection(
        f"{set}-secret", peer.url(f"/mute/{set}"),
        headers={"X": {"valueFrom": {"env": "WSM_SECRET_ABSENT"}}}))
    cli("-f", secret, "--set", set, "--wait", "--timeout", "30s").expect(
        STALLED, "WSM_SECRET_ABSENT")
    assert time.monotonic() - start < 20


def test_an_interrupt_is_exit_130(start, tmp_path, peer, set):
    hung = write(tmp_path / "hung.yaml", connection(set, peer.url(f"/hang/{set}")))
    for arguments in (("-f", hung, "--set", set, "--wait", "--timeout", "60s"), ("tail", set)):
        process = start(*arguments)
        time.sleep(1)  # Nothing tells from outside that its handler is in place.
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=10)
        assert process.returncode == 130, error
        assert b"interrupted" in error


# get, describe, delete, tail, send, version


def test_get_describe_and_delete(cli, client, peer, directory, set):
    cli("-f", directory, "--set", set, "--wait").expect(DONE)
    table = cli("get", "--set", set).expect(DONE).out
    assert table.splitlines()[0].split()[:3] == ["NAME", "PHASE", "READY"]
    assert [line.split()[:3] for line in table.splitlines()[1:]] == [
        [f"{set}-{letter}", "Connected", "yes"] for letter in "abc"]
    names = cli("get", "--set", set, "-o", "name").expect(DONE).out
    assert names.split() == [f"connection/{set}-{letter}" for letter in "abc"]
    document = json.loads(cli("get", f"{set}-a", "-o", "json").expect(DONE).out)
    assert f"{set}-a" in json.dumps(document) and "Connected" in json.dumps(document)
    assert yaml.safe_load(cli("get", f"connection/{set}-a", "-o", "yaml").expect(DONE).out)[
        "metadata"]["name"] == f"{set}-a"
    described = cli("describe", f"{set}-a").expect(DONE).out
    for text in (f"{set}-a", "Connected", "Ready", peer.url(f"/echo/{set}/a"), f"{set}.a"):
        assert text in described
    for verb in ("get", "describe", "delete"):
        cli(verb, f"{set}-absent").expect(DIFFERENT, f"{set}-absent")
    cli("delete", f"{set}-absent", "--ignore-not-found").expect(DONE)
    cli("delete", f"{set}-a", "--set", "someone-else").expect(CONFLICT, set)
    cli("delete", f"{set}-a", f"{set}-b").expect(DONE, f"connection/{set}-a deleted")
    assert [o.name for o in client.objects(set=set)] == [f"{set}-c"]
    cli("delete", "-f", directory / "c.json", "--set", set).expect(DONE)
    assert client.objects(set=set) == []
    cli("get", "--set", set).expect(DONE)


def test_selectors(cli, client, peer, set):
    for tier in ("gold", "silver"):
        client.apply(connection(f"{set}-{tier}", peer.url(f"/mute/{set}"),
                                labels={"own": set, "tier": tier}), set=f"{set}-{tier}")
    select = lambda text: cli("get", "-l", text, "-o", "name").expect(DONE).out.split()
    assert select(f"own={set}") == [f"connection/{set}-gold", f"connection/{set}-silver"]
    assert select(f"own={set},tier!=gold") == [f"connection/{set}-silver"]
    assert select(f"own={set},tier in (gold,lead)") == [f"connection/{set}-gold"]


def test_tail_prints_messages(cli, client, start, peer, set):
    client.apply(connection(set, peer.url(f"/mute/{set}"), topic=set), set=set)
    client.wait_ready(set)
    session = peer.session(f"/mute/{set}")
    session.send("one", '{"two":2}', b"\x00\xff three")
    eventually(lambda: client.get(set).published == 3, 10)
    raw = cli("tail", set, "--from", "oldest", "--count", "3", "-o", "raw").expect(DONE)
    assert raw.raw == b'one{"two":2}\x00\xff three'
    text = cli("tail", set, "--from", "oldest", "--count", "2").expect(DONE)
    assert text.out == 'one\n{"two":2}\n'
    lines = cli("tail", set, "--from", "oldest", "--count", "3", "-o", "json").expect(DONE).out
    parsed = [json.loads(line) for line in lines.splitlines()]
    assert [p["connection"] for p in parsed] == [set] * 3
    assert [p["position"] for p in parsed] == [1, 2, 3]
    process = start("tail", set, "--count", "1")
    eventually(lambda: session.send("late") or process.poll() is not None, 15, "a message", 0.1)
    assert process.communicate()[0] == b"late\n" and process.returncode == 0


def test_send(cli, client, peer, feed, set):
    client.apply(connection(set, feed.url("/rpc")), set=set)
    client.wait_ready(set)
    reply = cli("send", set, '{"id":"me","params":[1]}').expect(DONE)
    assert json.loads(reply.out) == {"id": "me", "result": [1]}
    cli("send", set, "plain text").expect(INVALID, "correlation.mode")
    cli("send", f"{set}-absent", "{}").expect(DIFFERENT)
    mute = f"{set}-mute"
    client.apply(connection(mute, peer.url(f"/mute/{mute}")), set=set)
    client.wait_ready(mute)
    cli("send", mute, "{}", "--timeout", "200ms").expect(TIMED_OUT)
    session = peer.session(f"/mute/{mute}")
    cli("send", mute, "--raw", "-", input=b"\x00\x01\xff").expect(DONE)
    cli("send", mute, "--raw", "grün").expect(DONE)
    eventually(lambda: len(session.messages) == 3, 5)
    assert [(m.data, m.is_text) for m in session.messages[1:]] == [
        (b"\x00\x01\xff", False), ("grün".encode(), True)]
    down = f"{set}-down"
    client.apply(connection(down, peer.url(f"/hang/{down}")), set=set)
    cli("send", down, "{}").expect(UNREACHABLE, "WebSocket is not connected")


def test_version(cli, server):
    result = cli("version").expect(DONE)
    assert server.process.address in result.out
    answer = json.loads(cli("version", "-o", "json").expect(DONE).out)
    assert "0.1.0" in json.dumps(answer)
    assert cli("--version").expect(DONE).out.strip()
    assert "Exit codes" in cli("--help").expect(DONE).out


# Waiting


def test_wait_for_the_first_message(cli, client, peer, feed, tmp_path, set):
    file = write(tmp_path / "feed.yaml", connection(
        set, feed.url("/ticker?rate=20"), topic=set), connection(
        f"{set}-quiet", peer.url(f"/first/{set}?count=1")))
    result = cli("-f", file, "--set", set, "--wait=FirstMessage", "--timeout", "20s").expect(DONE)
    assert "2 connections have their first message" in result.out
    assert client.get(set).first_message and client.get(f"{set}-quiet").first_message
    # Also where the object is there already.
    cli("-f", file, "--set", set, "--wait=firstmessage", "--timeout", "20s").expect(DONE)


def test_wait_for_a_set(cli, tmp_path, peer, set):
    file = write(tmp_path / "set.yaml", connection_set(
        set, set + "-{{n}}", {"url": peer.url("/mute/%s/{{n}}" % set)},
        matrix={"n": [str(n) for n in range(100)]}))
    result = cli("-f", file, "--set", set, "--wait", "--timeout", "30s").expect(DONE)
    assert "100 connections are Ready" in result.out
    cli("diff", "-f", file, "--set", set, "--prune").expect(DONE)
    cli("delete", f"connectionset/{set}").expect(DONE, "100 connections")


# Terminals and pipes


def in_terminal(arguments, env, timeout=30):
    """Runs a command in a pseudo terminal; returns its exit code and all it wrote there."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [binary("wsm-apply"), *map(str, arguments)], stdin=child, stdout=child, stderr=child,
        env=env, start_new_session=True)
    os.close(child)
    written, deadline = b"", time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            if select.select([parent], [], [], 0.1)[0]:
                try:
                    data = os.read(parent, 65536)
                except OSError:
                    break
                if not data:
                    break
                written += data
        return process.wait(5), written.decode()
    finally:
        process.kill()
        process.wait()
        os.close(parent)


@pytest.fixture
def slow_file(tmp_path, peer, set):
    return write(tmp_path / "slow.yaml", *(
        connection(f"{set}-{n}", peer.url(f"/slow/{set}/{n}?ms={n * 300}")) for n in range(5)))


def test_a_terminal_shows_live_progress_and_colour(server, slow_file, set):
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    env.update(WSM_SERVER=server.process.address, TERM="xterm-256color")
    code, text = in_terminal(["-f", slow_file, "--set", set, "--wait"], env)
    assert code == DONE, text
    updates = re.findall(r"\r\x1b\[K(waiting for Ready: (\d) of 5)", text)
    assert len({count for _, count in updates}) >= 2, f"no live progress in {text!r}"
    assert re.search(r"\x1b\[[0-9;]*m", text), "no colour"
    assert "5 connections are Ready" in text


def test_no_color_is_obeyed_in_a_terminal(server, slow_file, set):
    env = {**os.environ, "WSM_SERVER": server.process.address, "TERM": "xterm", "NO_COLOR": "1"}
    code, text = in_terminal(["-f", slow_file, "--set", set, "--wait"], env)
    assert code == DONE, text
    assert not re.search(r"\x1b\[[0-9;]*m", text), text
    assert "waiting for Ready" in text


def test_a_pipe_gets_plain_lines(cli, slow_file, directory, set):
    results = [
        cli("-f", slow_file, "--set", set, "--wait", TERM="xterm-256color"),
        cli("get"), cli("describe", f"{set}-0"), cli("plan", "-f", directory, "--set", set),
        cli("diff", "-f", directory, "--set", set), cli("get", f"{set}-absent"),
        cli("frobnicate"), cli("--help"), cli("delete", f"{set}-0")]
    for result in results:
        assert ESCAPE not in result.out and ESCAPE not in result.err
        assert "\r" not in result.out and "\r" not in result.err
    assert results[0].code == DONE and results[4].code == DIFFERENT
    # The result is on stdout, what is for people on stderr.
    assert "waiting" not in results[0].out and "waiting for Ready" in results[0].err


def test_a_result_that_cannot_be_written_is_exit_3(server, cli, client, peer, set):
    client.apply(connection(set, peer.url(f"/mute/{set}")), set=set)
    for arguments in (("get",), ("get", set, "-o", "yaml"), ("version",), ("--help",)):
        with open("/dev/full", "wb") as full:
            process = subprocess.run(
                [binary("wsm-apply"), *arguments], stdout=full, stderr=subprocess.PIPE, timeout=20,
                env={**os.environ, "WSM_SERVER": server.process.address})
        assert process.returncode == UNREACHABLE, process.stderr
        assert b"the result could not be written: No space left" in process.stderr
    # A reader that has seen enough is no fault.
    client.apply(*(connection(f"{set}-{n}", "ws://127.0.0.1:1/") for n in range(300)), set=set)
    reader = subprocess.run(
        f"{binary('wsm-apply')} get -o yaml | head -1; exit ${{PIPESTATUS[0]}}", shell=True,
        executable="/bin/bash", capture_output=True, timeout=20,
        env={**os.environ, "WSM_SERVER": server.process.address})
    assert reader.returncode == DONE and b"error" not in reader.stderr, reader
    client.apply(set=set, prune=True, allow_empty=True, max_prune="100%")


def test_hostile_text_does_not_reach_the_terminal(cli, client, peer, set):
    path = f"/mute/{set}"
    client.apply(connection(set, peer.url(path), reconnect={"base": "30s", "cap": "30s"}), set=set)
    client.wait_ready(set)
    peer.session(path).close(4000, "\x1b[31mred\x07\r\nline")
    client.wait_object(set, lambda o: not o.ready)
    for arguments in (("get", "--set", set), ("describe", set)):
        result = cli(*arguments).expect(DONE)
        assert ESCAPE not in result.out and "\x07" not in result.out


# Every broken manifest

BROKEN = sorted(
    path for path in (REPOSITORY / "Tests" / "Fixtures" / "broken").iterdir()
    if path.suffix in (".yaml", ".json"))


def processor_seconds():
    """Of all children that have ended: what a busy machine does not stretch."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_every_broken_manifest_is_exit_2_with_a_place_in_under_a_second(cli):
    assert len(BROKEN) >= 60
    for path in BROKEN:
        before = processor_seconds()
        result = cli("validate", "-f", path, WSM_SERVER="127.0.0.1:1").expect(INVALID)
        assert processor_seconds() - before < 1, path.name
        expected = (path.parent / (path.name + ".expected")).read_text()
        expected = expected.replace(path.name, str(path)).splitlines()
        assert expected and re.match(rf"{re.escape(str(path))}:\d+:\d+: ", expected[0])
        shown = result.err.splitlines()
        assert shown[:len(expected)] == expected, path.name
