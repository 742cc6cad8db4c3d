"""History, rollback, saved plans, field managers and waits of wsm-apply, against a real server."""

import json
import os
import subprocess
import time

import grpc
import pytest
import yaml

from client import connection, connection_set
from processes import binary
from test_cli import CONFLICT, DIFFERENT, DONE, GUARD, INVALID, TIMED_OUT, Result

from waiting import eventually


def write(path, *documents):
    path.write_text(yaml.safe_dump_all(documents))
    return path


@pytest.fixture
def own(new_server, tmp_path):
    """A server of the test's own, and wsm-apply for it."""
    server = new_server()

    def run(*arguments, input=b"", timeout=60):
        return Result(subprocess.run(
            [binary("wsm-apply"), *map(str, arguments)], input=input, capture_output=True,
            cwd=tmp_path, timeout=timeout,
            env={**os.environ, "WSM_SERVER": server.process.address}))

    run.server = server
    return run


@pytest.fixture
def quiet(peer, name):
    """Manifests of connections that stay up and say nothing."""
    base = name("q")

    def make(letter, **options):
        options.setdefault("topic", f"{base}.{letter}")
        return connection(f"{base}-{letter}", peer.url(f"/mute/{base}/{letter}"), **options)

    make.base = base
    return make


def topics(cli):
    """Name → topic of all that the server has."""
    return {o.name: o.topic for o in cli.server.client.objects()}


def revisions(cli, set="s"):
    answer = json.loads(cli("history", set, "-o", "json").expect(DONE).out)
    return [(r["revision"], r["summary"]) for r in answer["revisions"]]


def test_rollback_restores_each_revision_also_after_a_restart(own, tmp_path, quiet, peer):
    base, file = quiet.base, tmp_path / "set.yaml"
    apply = lambda *documents: own("-f", write(file, *documents), "--set", "s", "--prune", "--wait")
    rows = lambda *n: connection_set(
        base, base + "-m{{n}}", {"url": peer.url("/mute/%s/m{{n}}" % base)},
        list=[{"n": i} for i in n])
    apply(quiet("a", topic="one"), rows(1, 2)).expect(DONE)
    first = topics(own)
    apply(quiet("a", topic="two"), quiet("b")).expect(DONE)
    second = topics(own)
    apply(quiet("b"), rows(2, 3)).expect(DONE)
    third = topics(own)
    assert len({tuple(sorted(t.items())) for t in (first, second, third)}) == 3

    dry = own("rollback", "s", "--to", 1, "--dry-run").expect(DONE, "(dry run)")
    assert topics(own) == third and len(revisions(own)) == 3, dry.out
    own("rollback", "s", "--to", 1, "--wait").expect(DONE, "Ready")
    assert topics(own) == first
    own.server.restart()
    assert topics(own) == first
    own("rollback", "s", "--to", 2, "--wait").expect(DONE)
    assert topics(own) == second
    own("rollback", "s", "--to", 3, "--if-revision", 4).expect(CONFLICT, "at revision 5")
    own("rollback", "s", "--to", 3, "--if-revision", 5).expect(DONE)
    assert topics(own) == third
    assert [number for number, _ in revisions(own)] == [6, 5, 4, 3, 2, 1]
    assert revisions(own)[0][1].startswith("rollback to 3: ")
    digests = [r["digest"] for r in
               json.loads(own("history", "s", "-o", "json").out)["revisions"]]
    assert digests[0] == digests[3] and digests[2] == digests[5] != digests[0]

    # What a revision was can be read, and applied again changes nothing.
    shown = own("history", "s", "--revision", 3).expect(DONE)
    assert [d["kind"] for d in yaml.safe_load_all(shown.out)] == ["ConnectionSet", "Connection"]
    own("-f", "-", "--set", "s", "--prune", input=shown.raw).expect(DONE, "0 created, 0 configured")
    table = own("history", "s").expect(DONE).out
    assert table.splitlines()[0].split() == [
        "REVISION", "WHEN", "BY", "DIGEST", "ROLLBACK", "SUMMARY"]


def test_a_delete_is_in_the_history_and_can_be_undone(own, tmp_path, quiet):
    own("-f", write(tmp_path / "a.yaml", quiet("a"), quiet("b")), "--set", "s").expect(DONE)
    own("delete", f"{quiet.base}-a").expect(DONE)
    assert revisions(own)[0] == (2, f"connection/{quiet.base}-a deleted")
    answer = json.loads(own("history", "s", "-o", "json").out)
    assert "@" in answer["revisions"][0]["by"]
    own("rollback", "s", "--to", 1).expect(DONE, "1 created")
    own("rollback", "s", "--to", 9).expect(DIFFERENT, "no revision 9")
    own("rollback", "never", "--to", 1).expect(DIFFERENT, "never applied")


def test_a_rollback_has_the_prune_guard(own, tmp_path, quiet):
    own("-f", write(tmp_path / "a.yaml", quiet("a")), "--set", "s").expect(DONE)
    many = [quiet(f"n{n}") for n in range(8)]
    own("-f", write(tmp_path / "b.yaml", *many), "--set", "s").expect(DONE)
    own("rollback", "s", "--to", 1).expect(GUARD, "8")
    assert len(topics(own)) == 9
    own("rollback", "s", "--to", 1, "--max-prune", 8).expect(DONE, "8 pruned")


def test_a_saved_plan_is_applied_exactly_or_not_at_all(own, tmp_path, quiet):
    base, file, plan = quiet.base, tmp_path / "a.yaml", tmp_path / "saved.plan"
    bare = connection(f"{base}-a", quiet("a")["spec"]["url"])
    own("-f", write(file, bare), "--set", "s", "--wait").expect(DONE)
    edited = {**bare, "spec": {**bare["spec"], "maxMessageSize": "2MiB"}}
    planned = own("plan", "-f", write(file, edited, quiet("b")), "--set", "s", "--out", plan)
    planned.expect(DONE, "apply with: --if-revision 1")
    assert plan.stat().st_mode & 0o777 == 0o600
    # A call moves an object of the plan.
    own.server.client.start_publish(f"{base}-a", "called")
    before = topics(own)
    own("apply", "--plan", plan).expect(CONFLICT, "make the plan again", "revision 1")
    assert topics(own) == before and len(revisions(own)) == 1
    # The input is in the plan: the file is not looked at again.
    own("plan", "-f", file, "--set", "s", "--out", plan).expect(DONE)
    file.unlink()
    own("apply", "--plan", plan, "--set", "t").expect(INVALID, "--plan")
    own("apply", "--plan", plan, "--wait").expect(DONE, "1 created, 1 configured")
    own("apply", "--plan", plan).expect(CONFLICT, "at revision 2")
    # A restart of the server moves nothing.
    plan_of = lambda: own("plan", "-f", write(file, quiet("c")), "--set", "s", "--out", plan)
    plan_of().expect(DONE)
    own.server.restart()
    own("apply", "--plan", plan).expect(DONE, "1 created")
    plan_of().expect(DONE)
    plan.write_text(plan.read_text().replace('"set": "s"', '"set": "z"'))
    own("apply", "--plan", plan).expect(INVALID, "damaged")


def test_if_revision_says_where_the_set_is(own, tmp_path, quiet):
    file = write(tmp_path / "a.yaml", quiet("a"))
    own("-f", file, "--set", "s", "--if-revision", 1).expect(CONFLICT, "never applied")
    own("-f", file, "--set", "s", "--if-revision", 0).expect(DONE)
    write(file, quiet("a", topic="other"))
    stale = own("-f", file, "--set", "s", "--if-revision", 0).expect(CONFLICT)
    assert "revision 1" in stale.err and "@" in stale.err and "20" in stale.err
    assert own.server.client.get(f"{quiet.base}-a").generation == 1


def test_managers_of_fields_conflict_with_three_ways_out(own, tmp_path, quiet):
    name, file = f"{quiet.base}-a", tmp_path / "a.yaml"
    apply = lambda document, manager, *more: own(
        "-f", write(file, document), "--set", "s", "--field-manager", manager, *more)
    apply(quiet("a", topic="A"), "ci").expect(DONE)
    refused = apply(quiet("a", topic="B"), "alice").expect(CONFLICT)
    for text in ("topic is managed by ci since 20", "--force-conflicts",
                 "leave the field out of the manifest", "same value"):
        assert text in refused.err, refused.err
    assert own.server.client.get(name).topic == "A"
    left_out = connection(name, quiet("a")["spec"]["url"], maxMessageSize="2MiB")
    apply(left_out, "alice").expect(DONE, "1 configured")
    assert own.server.client.get(name).topic == "A"
    apply(quiet("a", topic="A"), "alice").expect(DONE)
    managers = own.server.client.document(name)["metadata"]["managers"]
    by = {m["manager"]: set(m["fields"]) for m in managers}
    assert "topic" in by["ci"] and "topic" in by["alice"]
    assert all(m["since"].startswith("20") for m in managers)
    apply(quiet("a", topic="B"), "alice", "--force-conflicts").expect(DONE)
    assert own.server.client.get(name).topic == "B"
    # As get shows it, it can be applied: what only the server writes is a warning.
    shown = own("get", name, "-o", "yaml").expect(DONE)
    again = own("-f", "-", "--set", "s", "--field-manager", "alice", input=shown.raw)
    again.expect(DONE, "1 unchanged", "managers")


def test_what_a_call_set_is_managed_by_grpc(own, tmp_path, quiet):
    name, file = f"{quiet.base}-a", tmp_path / "a.yaml"
    bare = connection(name, quiet("a")["spec"]["url"])
    own("-f", write(file, bare), "--set", "s", "--wait").expect(DONE)
    own.server.client.start_publish(name, "called")
    own("-f", file, "--set", "s").expect(DONE, "1 unchanged")
    own("-f", write(file, quiet("a", topic="mine")), "--set", "s").expect(
        CONFLICT, "topic is managed by grpc since 20", "--force-conflicts")
    own("-f", write(file, quiet("a", topic="called")), "--set", "s").expect(DONE)
    with pytest.raises(grpc.RpcError) as refused:
        own.server.client.stop_publish(name)
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    own("-f", write(file, quiet("a", topic="mine")), "--set", "s").expect(DONE)


def test_an_object_of_another_set_says_who_and_since_when(own, tmp_path, quiet):
    file = write(tmp_path / "a.yaml", quiet("a"))
    own("-f", file, "--set", "left").expect(DONE)
    refused = own("-f", file, "--set", "right").expect(CONFLICT, "set left since 20")
    for text in ("@", "--adopt", "--set", "another name"):
        assert text in refused.err
    own("-f", file, "--set", "right", "--adopt").expect(DONE)
    assert revisions(own, "left")[0] == (2, "1 adopted by set right")


def test_dry_runs_write_nothing(own, tmp_path, quiet):
    file = write(tmp_path / "a.yaml", quiet("a"))
    client = own("-f", file, "--set", "s", "--dry-run=client", "--server", "127.0.0.1:1")
    client.expect(DONE, f"connection/{quiet.base}-a compiled (dry run)")
    own("-f", file, "--set", "s", "--dry-run").expect(DONE, "1 created")
    own("plan", "-f", file, "--set", "s").expect(DONE)
    assert topics(own) == {}
    own("history", "s").expect(DIFFERENT, "never applied")


def test_wait_for_what_comes_and_what_goes(own, tmp_path, quiet):
    name = f"{quiet.base}-a"
    file = write(tmp_path / "a.yaml", quiet("a", labels={"x": "y"}))
    own("-f", file, "--set", "s").expect(DONE)
    own("wait", name, "--timeout", "20s").expect(DONE, "1 connection is Ready")
    own("wait", "-l", "x=y", "--timeout", "20s").expect(DONE)
    own("wait", "--set", "t").expect(DIFFERENT, "no connection fits")
    own("wait", "--for=deleted", name, "--timeout", "300ms").expect(TIMED_OUT, "still there")
    waiting = subprocess.Popen(
        [binary("wsm-apply"), "wait", "--for=deleted", "--set", "s", "--timeout", "30s"],
        env={**os.environ, "WSM_SERVER": own.server.process.address}, stdout=subprocess.PIPE)
    time.sleep(0.3)
    own("delete", name).expect(DONE)
    out, _ = waiting.communicate(timeout=20)
    assert waiting.returncode == DONE and b"1 connection is deleted" in out
    own("wait", "--for=deleted", name).expect(DONE)


def test_events_and_status(own, tmp_path, quiet):
    name = f"{quiet.base}-a"
    own("-f", write(tmp_path / "a.yaml", quiet("a")), "--set", "s", "--wait").expect(DONE)

    def connected():
        lines = own("events", name, "-o", "ndjson").expect(DONE).out.splitlines()
        events = [json.loads(line) for line in lines]
        return [e for e in events if e["type"].endswith(".connected")]

    event = eventually(connected, 10)[0]
    assert event["websocketid"] == name and event["specversion"] == "1.0"
    assert name in own("events").expect(DONE).out
    assert own("events", "nobody").expect(DONE).out == ""
    status = own("status", "-o", "json").expect(DONE)
    assert json.loads(status.out)["ready"] is True
