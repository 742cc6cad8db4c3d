"""Nothing that the programs write holds a secret: all of it is searched for planted ones."""

import base64
import http.client
import json
import re
import ssl

import grpc
import pytest

from client import connection, connection_set
from guarded import ADMIN, READ, WRONG, Guarded
from waiting import eventually

# Never written anywhere: references resolve to them at each dial.
ENVIRONMENT = "planted-in-the-environment-3f9c"
FILE = "planted-in-a-secret-file-77aa"
OUTSIDE = "planted-outside-of-the-directory-51b0"
# Written where an admin wrote them: in the manifest, so in the state and in an admin's `get`.
QUERY = "planted-in-a-query-90d1"
HEADER = "planted-in-a-header-c2e8"
OPEN = "planted-in-on-open-1b4d"

RESOLVED = [ENVIRONMENT, FILE, OUTSIDE, ADMIN, READ, WRONG]
LITERAL = [QUERY, HEADER, OPEN]


def found(text, secrets):
    """The secrets in a text, in plain or in base64."""
    data = text if isinstance(text, bytes) else text.encode()
    return [secret for secret in secrets
            if secret.encode() in data
            or base64.b64encode(secret.encode()).rstrip(b"=")[:-2] in data]


def https_get(server, path, token):
    context = ssl.create_default_context(cafile=server.pki / "ca.pem")
    connection = http.client.HTTPSConnection(
        "localhost", server.process.http_port, timeout=20, context=context)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture
def guarded(tmp_path):
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "token").write_text(FILE + "\n")
    (tmp_path / "outside").write_text(OUTSIDE)
    (secrets / "link").symlink_to(tmp_path / "outside")
    (secrets / "inner").symlink_to("token")
    server = Guarded(
        tmp_path, arguments=["--log-level", "trace", "--secrets-dir", secrets],
        env={"WSM_SECRET_KEY": ENVIRONMENT, "OTHER_KEY": OUTSIDE})
    yield server
    server.close()


def manifests(peer):
    secret = {"X-Key": {"valueFrom": {"env": "WSM_SECRET_KEY"}},
              "X-Token": {"valueFrom": {"file": "token"}}}
    closed = "ws://127.0.0.1:9"
    return [
        connection("good", peer.url(f"/echo/good?k={QUERY}"), topic="good",
                   headers={**secret, "X-Literal": HEADER},
                   onOpen=[{"text": OPEN}, {"text": {"valueFrom": {"file": "inner"}}}]),
        # Each in a way of its own cannot be dialled.
        connection("refused", f"{closed}/?k={QUERY}", headers=secret),
        connection("link", peer.url("/echo/link"),
                   headers={"X": {"valueFrom": {"file": "link"}}}),
        connection("prefix", peer.url("/echo/prefix"),
                   headers={"X": {"valueFrom": {"env": "OTHER_KEY"}}}),
        connection("missing", peer.url("/echo/missing"),
                   headers={"X": {"valueFrom": {"file": "nothing"}}}),
        connection_set("many", "many-{{n}}", {"url": f"{closed}/{{{{n}}}}?k={{{{key}}}}",
                                              "headers": {"X": "{{key}}"}},
                       list=[{"n": "1", "key": QUERY}, {"n": "2", "key": HEADER}]),
    ]


def test_nothing_that_is_written_holds_a_secret(guarded, peer):
    admin, reader = guarded.client(token=ADMIN), guarded.client(token=READ)
    events = admin.events(replay=True)
    admin.apply(*manifests(peer))
    admin.wait_ready("good")
    for name in ("link", "prefix", "missing"):
        admin.wait_object(name, lambda o: o.stalled)

    # The secrets were used, so there was something to leak.
    dial = peer.dials("/echo/good")[0]
    head = str(vars(dial))
    for secret in (ENVIRONMENT, FILE, HEADER, QUERY):
        assert secret in head, f"{secret} was not sent: {head}"
    assert not found(str([vars(d) for d in peer.dials("/echo/link")]), [OUTSIDE])

    # Calls that go wrong, with secrets where they do not belong.
    for client in (guarded.client(token=WRONG), guarded.client()):
        with pytest.raises(grpc.RpcError) as error:
            client.delete(WRONG)
        assert not found(error.value.details(), RESOLVED)
    for wrong in (f"http://h/?k={QUERY}", f"ws://user:{QUERY}@h/", f"ws://h/#{QUERY}",
                  f"ws://127.0.0.1:9/?k={QUERY}"):
        with pytest.raises(grpc.RpcError) as error:
            admin.connect(wrong)
        assert not found(error.value.details(), [QUERY]), error.value.details()

    eventually(lambda: any("good" in json.dumps(event) for event in events.items), 15, "events")
    assert not found(json.dumps(events.items), RESOLVED + LITERAL)

    token = guarded.secret("admin.token", ADMIN)
    read = guarded.secret("read.token", READ)
    broken = guarded.secret("broken.yaml", json.dumps(connection("x", f"ftp://h/?k={QUERY}")))
    common = ("--ca", guarded.pki / "ca.pem")
    verbs = [
        ("get",), ("get", "-o", "wide"), ("get", "-o", "yaml"), ("get", "-o", "json"),
        ("describe", "good"), ("describe", "refused"), ("describe", "link"),
        ("get", "connectionset/many", "-o", "yaml"), ("version",), ("config", "view"),
        ("plan", "-f", broken), ("delete", "nothing"),
    ]
    for verb in verbs:
        for file, secrets in ((token, RESOLVED), (read, RESOLVED + LITERAL)):
            result = guarded.cli(*verb, *common, "--token-file", file)
            said = result.stdout + result.stderr
            if "-f" in verb:
                # A person's own file, on their own screen.
                secrets = RESOLVED
            assert not found(said, secrets), f"{verb}: {said.decode()}"

    # What an admin wrote comes back whole, and can be applied again.
    whole = guarded.cli("get", "-o", "yaml", *common, "--token-file", token).stdout
    assert sorted(found(whole, LITERAL)) == sorted(LITERAL)
    again = guarded.cli("-f", "-", *common, "--token-file", token, input=whole)
    assert again.returncode == 0, again.stderr
    assert b"0 created, 0 configured" in again.stdout
    # What a reader saw cannot.
    seen = guarded.cli("get", "-o", "yaml", *common, "--token-file", read).stdout
    refused = guarded.cli("-f", "-", *common, "--token-file", token, input=seen)
    assert refused.returncode == 2 and b"hidden" in refused.stderr + seen

    # A reader's plan names the fields that differ, not what they hold.
    changed = connection("good", peer.url("/echo/good?k=other"), topic="good",
                         headers={"X-Literal": "other"}, onOpen=[{"text": "other"}])
    plan = reader.plan(changed)
    assert {edit.path.split("[")[0] for edit in plan.result("good").edits} >= {"url", "headers"}
    assert not found(str(plan.results), LITERAL)
    watch = reader.watch()
    watch.wait_for(lambda item: item[0] == "SYNCED", what="all that is there")
    assert not found(str(watch.items), LITERAL + RESOLVED)
    assert not found(str(reader.list()), LITERAL + RESOLVED)

    # The HTTP port: all a reader can ask for, and what it says to a stranger.
    for path in ("/wsm/v1/objects", "/wsm/v1/objects?kind=ConnectionSet",
                 "/wsm/v1/Connection/good", "/wsm/v1/ConnectionSet/many", "/v1/connections",
                 "/wsm/v1/sets/default/history?revision=1", "/wsm/v1/status", "/metrics",
                 "/readyz?verbose", "/openapi.json"):
        status, said = https_get(guarded, path, READ)
        assert status == 200, (path, said)
        assert not found(said, RESOLVED + LITERAL), path
        for inner in re.findall(rb'"([A-Za-z0-9+/]{80,}={0,2})"', said):
            assert not found(base64.b64decode(inner), RESOLVED + LITERAL), path
        status, said = https_get(guarded, path, WRONG)
        assert status == 401 and not found(said, RESOLVED + LITERAL), path

    assert not found(guarded.log, RESOLVED + LITERAL), found(guarded.log, RESOLVED + LITERAL)
    admin.close()
    guarded.process.kill()
    for file in sorted((guarded.directory / "data").iterdir()):
        assert not found(file.read_bytes(), RESOLVED), file
