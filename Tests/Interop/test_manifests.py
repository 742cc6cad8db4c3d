"""Manifests through wsm.v1: what an apply changes, and what it does to live sockets."""

import json

import pytest

from client import connection, connection_set
from refusals import refused
from stubs import v1, ws
from waiting import eventually, stays


@pytest.fixture
def three(client, peer, name):
    """Three connections of a set of their own, all Ready; paths by letter."""
    set = name("set")
    paths = {letter: f"/mute/{set}-{letter}" for letter in "abc"}
    documents = {
        letter: connection(f"{set}-{letter}", peer.url(path), topic=f"{set}.{letter}",
                           labels={"letter": letter})
        for letter, path in paths.items()}
    reply = client.apply(*documents.values(), set=set)
    assert {*reply.actions.values()} == {"created"}
    client.wait_ready(*(f"{set}-{letter}" for letter in "abc"))
    return set, paths, documents


def dials(peer, paths):
    return {letter: len(peer.dials(path)) for letter, path in paths.items()}


ONCE = {"a": 1, "b": 1, "c": 1}


# Apply


def test_apply_twice_changes_nothing_and_dials_nothing(client, peer, three):
    set, paths, documents = three
    before = {name: client.document(name)["metadata"] for name in
              (f"{set}-{letter}" for letter in "abc")}
    for prune in (False, True):
        reply = client.apply(*documents.values(), set=set, prune=prune)
        assert {*reply.actions.values()} == {"unchanged"}
        assert reply.summary.unchanged == 3
        assert reply.summary.cut_sockets == 0
        assert reply.summary.revision == 1
    stays(lambda: dials(peer, paths) == ONCE, 0.4, "dialled by an apply that changes nothing")
    assert before == {name: client.document(name)["metadata"] for name in before}


def test_another_spelling_is_no_change(client, peer, three):
    set, paths, documents = three
    same = connection(
        f"{set}-a", peer.url(paths["a"]), topic=f"{set}.a", labels={"letter": "a"},
        autoReconnect=True, headers={}, subprotocols=[],
        timeouts={"dial": "20000ms", "close": "5s"}, keepalive={"pingInterval": "0m20s"},
        maxMessageSize="1024KiB", correlation={"mode": "auto"})
    reply = client.apply(same, set=set)
    assert reply.actions == {f"{set}-a": "unchanged"}
    assert list(reply.result(f"{set}-a").edits) == []


def test_a_topic_change_keeps_the_socket(client, peer, three, name):
    set, paths, documents = three
    old, new = client.subscribe(f"{set}.a"), client.subscribe(f"{set}.new")
    documents["a"]["spec"]["topic"] = f"{set}.new"
    reply = client.apply(documents["a"], set=set)
    result = reply.result(f"{set}-a")
    assert reply.actions == {f"{set}-a": "configured"}
    assert [(e.path, e.old, e.new, e.effect) for e in result.edits] == [
        ("topic", f"{set}.a", f"{set}.new", "keep")]
    assert not result.cuts_socket and result.effect == "keep"
    client.wait_ready(f"{set}-a")
    peer.session(paths["a"]).send("moved")
    assert [bytes(m.data) for m in new.wait(1)] == [b"moved"]
    assert old.items == []
    assert dials(peer, paths) == ONCE


def test_a_url_change_cuts_exactly_that_socket(client, peer, three):
    set, paths, documents = three
    session = peer.session(paths["b"])
    documents["b"]["spec"]["url"] = peer.url(paths["b"] + "2")
    plan = client.plan(*documents.values(), set=set)
    reply = client.apply(*documents.values(), set=set)
    for answer in (plan, reply):
        assert answer.actions == {
            f"{set}-a": "unchanged", f"{set}-b": "configured", f"{set}-c": "unchanged"}
        assert [r.name for r in answer.results if r.cuts_socket] == [f"{set}-b"]
        assert answer.summary.cut_sockets == 1
        assert answer.result(f"{set}-b").effect == "reopen"
        assert [e.path for e in answer.result(f"{set}-b").edits] == ["url"]
    client.wait_ready(f"{set}-b")
    peer.session(paths["b"] + "2")
    eventually(lambda: session.closed_at, 10, "the end of the old socket")
    assert session.close_code == 1000
    assert session.closed_at <= peer.session(paths["b"] + "2").opened_at, "two sockets at one time"
    assert dials(peer, paths) == ONCE
    assert peer.session(paths["a"]) and peer.session(paths["c"])


@pytest.mark.parametrize(
    "field, value, effect",
    [
        ("headers", {"X-Key": "1"}, "reopen"),
        ("subprotocols", ["chat"], "reopen"),
        ("onOpen", [{"text": "hello"}], "reopen"),
        ("keepalive", {"pingInterval": "7s"}, "keep"),
        ("timeouts", {"dial": "30s"}, "next"),
        ("reconnect", {"base": "2s"}, "next"),
        ("maxMessageSize", "2MiB", "keep"),
        ("buffer", {"messages": 5}, "keep"),
        ("correlation", {"mode": "next"}, "keep"),
        ("autoReconnect", False, "keep"),
        ("publish", {"data": "base64"}, "keep"),
        ("requireSubprotocol", True, "next"),
    ],
)
def test_an_edit_does_what_the_field_table_says(client, peer, name, field, value, effect):
    own = name()
    path = f"/mute/{own}"
    client.apply(connection(own, peer.url(path)), set=own)
    client.wait_ready(own)
    reply = client.apply(connection(own, peer.url(path), **{field: value}), set=own)
    assert reply.result(own).effect == effect
    assert reply.result(own).cuts_socket == (effect == "reopen")
    client.wait_ready(own)
    wanted = 2 if effect == "reopen" else 1
    eventually(lambda: len(peer.opened(path)) == wanted, 10, f"{wanted} sockets")
    stays(lambda: len(peer.dials(path)) == wanted, 0.2, f"{len(peer.dials(path))} dials")
    assert peer.max_open[path] == 1
    if field == "headers":
        assert peer.session(path).headers["x-key"] == "1"
    if field == "onOpen":
        eventually(lambda: [m.data for m in peer.session(path).messages] == [b"hello"], 5)


def test_a_dry_run_changes_nothing(client, peer, three):
    set, paths, documents = three
    new = connection(f"{set}-new", peer.url(f"/mute/{set}-new"))
    documents["a"]["spec"]["url"] = peer.url("/mute/elsewhere")
    revision = client.apply(documents["b"], set=set).summary.revision
    input = (documents["a"], documents["b"], new)
    for reply in (client.apply(*input, set=set, dry_run=True, prune=True),
                  client.plan(*input, set=set, prune=True)):
        assert reply.actions == {f"{set}-a": "configured", f"{set}-b": "unchanged",
                                 f"{set}-c": "pruned", f"{set}-new": "created"}
        assert reply.summary.cut_sockets == 2
    with refused("NOT_FOUND", "Connection not found"):
        client.get(f"{set}-new")
    assert client.document(f"{set}-a")["spec"]["url"] == peer.url(paths["a"])
    assert client.apply(documents["b"], set=set).summary.revision == revision
    assert dials(peer, paths) == ONCE


# Prune


def test_prune_removes_exactly_one(client, peer, three):
    set, paths, documents = three
    session = peer.session(paths["c"])
    reply = client.apply(documents["a"], documents["b"], set=set, prune=True)
    assert reply.actions == {
        f"{set}-a": "unchanged", f"{set}-b": "unchanged", f"{set}-c": "pruned"}
    assert reply.summary.pruned == 1 and reply.summary.cut_sockets == 1
    eventually(lambda: session.closed_at, 10, "the end of the pruned socket")
    assert session.close_code == 1000
    assert [o.name for o in client.objects(set=set)] == [f"{set}-a", f"{set}-b"]
    assert peer.session(paths["a"]) and peer.session(paths["b"])
    assert dials(peer, paths) == ONCE
    again = client.apply(documents["a"], documents["b"], set=set, prune=True)
    assert again.summary.pruned == 0


def test_without_prune_nothing_is_removed(client, three):
    set, _, documents = three
    assert client.apply(documents["a"], set=set).summary.pruned == 0
    assert len(client.objects(set=set)) == 3


def test_the_prune_guard(client, peer, name):
    set = name("guard")
    documents = [connection(f"{set}-{i:02}", peer.url(f"/mute/{set}-{i:02}")) for i in range(12)]
    client.apply(*documents, set=set)
    client.wait_ready(*(d["metadata"]["name"] for d in documents))
    with refused("FAILED_PRECONDITION", "prune guard:", set) as empty:
        client.apply(set=set, prune=True)
    assert "allow-empty" in empty.details
    with refused("FAILED_PRECONDITION", "prune guard:"):
        client.apply(set=set, prune=True, allow_empty=True)
    # A fifth of twelve is two, but five are always allowed.
    with refused("FAILED_PRECONDITION", "prune guard:", "6", "5"):
        client.apply(*documents[6:], set=set, prune=True)
    for limit in ("4", "33%"):
        with refused("FAILED_PRECONDITION", "prune guard:"):
            client.apply(*documents[5:], set=set, prune=True, max_prune=limit)
    for limit in ("x", "-1", "101%", "5 %"):
        with refused("INVALID_ARGUMENT", "max_prune"):
            client.apply(*documents[5:], set=set, prune=True, max_prune=limit)
    assert len(client.objects(set=set)) == 12
    assert all(len(peer.live(f"/mute/{set}-{i:02}")) == 1 for i in range(12))
    assert client.apply(*documents[5:], set=set, prune=True).summary.pruned == 5
    assert client.apply(*documents[11:], set=set, prune=True, max_prune="90%").summary.pruned == 6
    assert client.apply(set=set, prune=True, allow_empty=True).summary.pruned == 1
    assert client.objects(set=set) == []
    # An empty input for an empty set is no accident.
    assert client.apply(set=set, prune=True).summary.pruned == 0


def test_a_protected_object_is_passed_over(client, peer, name):
    set = name("protected")
    keep = connection(f"{set}-keep", peer.url(f"/mute/{set}-keep"),
                      annotations={"wsm.virtufin.com/prune": "disabled"})
    go = connection(f"{set}-go", peer.url(f"/mute/{set}-go"))
    stay = connection(f"{set}-stay", peer.url(f"/mute/{set}-stay"))
    client.apply(keep, go, stay, set=set)
    client.wait_ready(f"{set}-keep")
    reply = client.apply(stay, set=set, prune=True)
    assert reply.actions == {
        f"{set}-stay": "unchanged", f"{set}-go": "pruned", f"{set}-keep": "protected"}
    assert reply.summary.protected == 1
    assert client.get(f"{set}-keep").ready
    # It still belongs to the set, and goes once the annotation is gone.
    del keep["metadata"]["annotations"]
    assert client.apply(stay, keep, set=set, prune=True).actions[f"{set}-keep"] == "configured"
    assert client.apply(stay, set=set, prune=True).actions[f"{set}-keep"] == "pruned"


# Ownership


def test_an_object_of_another_set_is_a_conflict(client, peer, three):
    set, paths, documents = three
    other = set + "-other"
    mine = connection(f"{other}-mine", peer.url(f"/mute/{other}"))
    documents["a"]["spec"]["topic"] = "stolen"
    reply = client.apply(documents["a"], mine, set=other)
    assert reply.actions[f"{set}-a"] == "conflict"
    assert set in reply.result(f"{set}-a").message
    assert "--adopt" in reply.result(f"{set}-a").message
    assert reply.summary.conflicts == 1
    assert client.get(f"{set}-a").topic == f"{set}.a"
    assert [o.name for o in client.objects(set=other)] == (
        [f"{other}-mine"] if reply.actions[f"{other}-mine"] == "created" else [])
    # An object in conflict is not the other set's to prune.
    client.apply(set=other, prune=True, allow_empty=True)
    assert client.get(f"{set}-a").set == set


def test_adopt_takes_over_without_a_reconnect(client, peer, three):
    set, paths, documents = three
    other = set + "-other"
    reply = client.apply(documents["a"], set=other, adopt=True)
    assert reply.actions == {f"{set}-a": "adopted"}
    assert reply.summary.cut_sockets == 0
    assert client.get(f"{set}-a").set == other
    # The former set has lost it, and prunes nothing.
    reply = client.apply(documents["b"], documents["c"], set=set, prune=True)
    assert reply.summary.pruned == 0
    assert client.get(f"{set}-a").ready
    assert dials(peer, paths) == ONCE and peer.session(paths["a"])


def test_adopt_takes_a_connection_of_the_api(client, peer, name):
    set = name("adopt")
    path = f"/mute/{set}"
    id = client.connect(peer.url(path), True, tags={"a": "1"}).id
    client.start_publish(id, set)
    declared = connection(id, peer.url(path), topic=set, autoReconnect=True, labels={"a": "1"})
    reply = client.apply(declared, set=set)
    assert reply.actions == {id: "conflict"}
    assert "grpc" in reply.result(id).message
    reply = client.apply(declared, set=set, adopt=True)
    assert reply.actions == {id: "adopted"}
    client.wait_ready(id)
    assert client.get(id).set == set
    assert len(peer.dials(path)) == 1 and peer.session(path)
    with refused("FAILED_PRECONDITION", set):
        client.disconnect(id)


def test_the_api_may_not_change_what_a_manifest_declares(client, peer, three, name):
    set, paths, documents = three
    own = f"{set}-a"
    for call in (lambda: client.start_publish(own, "other"), lambda: client.stop_publish(own)):
        with refused("FAILED_PRECONDITION", "topic", set):
            call()
    with refused("FAILED_PRECONDITION", "label", set):
        client.ws.SetTag(ws.SetTagRequest(id=own, key="letter", value="z"))
    with refused("FAILED_PRECONDITION", "label", set):
        client.ws.SetTags(ws.SetTagsRequest(id=own, tags={}))
    # What nobody declares is free, and an apply leaves it alone.
    client.ws.SetTag(ws.SetTagRequest(id=own, key="free", value="1"))
    assert client.apply(documents["a"], set=set).actions == {own: "unchanged"}
    assert dict(client.listed(own).tags) == {"letter": "a", "free": "1"}
    free = name("free")
    client.apply(connection(free, peer.url(f"/mute/{free}")), set=free)
    client.wait_ready(free)
    client.start_publish(free, f"{free}.topic")
    assert client.apply(connection(free, peer.url(f"/mute/{free}")), set=free).actions == {
        free: "unchanged"}
    assert client.get(free).topic == f"{free}.topic"
    assert len(peer.dials(f"/mute/{free}")) == 1


def test_a_stale_resource_version_is_a_conflict(client, three):
    set, _, documents = three
    stale = client.document(f"{set}-a")
    documents["a"]["spec"]["topic"] = f"{set}.newer"
    client.apply(documents["a"], set=set)
    stale["spec"]["topic"] = f"{set}.stale"
    reply = client.apply(stale, set=set)
    assert reply.actions == {f"{set}-a": "conflict"}
    assert "resourceVersion" in reply.result(f"{set}-a").message
    assert client.get(f"{set}-a").topic == f"{set}.newer"
    fresh = client.document(f"{set}-a")
    fresh["spec"]["topic"] = f"{set}.fresh"
    assert client.apply(fresh, set=set).actions == {f"{set}-a": "configured"}


# Get, List, Watch, Delete


def test_what_get_shows_applied_again_changes_nothing(client, peer, name):
    set = name("again")
    full = connection(
        set, peer.url(f"/mute/{set}"), topic=set, labels={"a": "ü", "b": ""},
        annotations={"note": "line\nbreak"}, headers={"X-A": "1"},
        onOpen=[{"text": "{\"op\": \"sub\"}"}, {"base64": "AAEC/w=="}],
        timeouts={"dial": "21s"}, keepalive={"pingInterval": "0s"},
        reconnect={"base": "1500ms", "maxAttempts": 3}, maxMessageSize="64KiB",
        buffer={"overflow": "dropOldest", "messages": 10},
        correlation={"mode": "next", "match": {"path": "a.b", "equals": 3}})
    client.apply(full, set=set)
    client.wait_ready(set)
    got = client.document(set)
    assert got["metadata"]["uid"] and got["status"]["phase"] == "Connected"
    reply = client.apply(got, set=set)
    assert reply.actions == {set: "unchanged"}
    assert client.document(set)["metadata"] == got["metadata"]
    assert len(peer.dials(f"/mute/{set}")) == 1
    # Also for one made by the API.
    path = f"/mute/{set}-api"
    id = client.connect(peer.url(path), True, tags={"x": "y"}).id
    client.start_publish(id, set + ".api")
    got = client.document(id)
    reply = client.apply(got, set=set, adopt=True)
    assert reply.actions == {id: "adopted"}
    assert list(reply.result(id).edits) == []
    assert len(peer.dials(path)) == 1


def test_list_pages_and_filters(client, peer, name):
    set = name("pages")
    documents = [
        connection(f"{set}-{i:02}", peer.url(f"/mute/{set}"),
                   labels={"page": set, "parity": "even" if i % 2 == 0 else "odd", "n": str(i)})
        for i in range(25)]
    client.apply(*documents, set=set)
    names = [d["metadata"]["name"] for d in documents]
    seen, token, pages = [], "", 0
    while True:
        page = client.v1.List(v1.ListRequest(set=set, page_size=10, page_token=token))
        assert len(page.objects) <= 10
        seen += [o.name for o in page.objects]
        pages += 1
        token = page.next_page_token
        if not token:
            break
    assert seen == names and pages == 3
    select = lambda text: [o.name for o in client.objects(label_selector=text, page_size=7)]
    assert select(f"page={set}") == names
    assert select(f"page={set},parity=even") == names[::2]
    assert select(f"page={set},parity!=even") == names[1::2]
    assert select(f"page={set},n in (3,4)") == names[3:5]
    assert select(f"page={set},n notin (3,4)") == names[:3] + names[5:]
    assert select(f"page={set},!n") == []
    assert len(select(f"page={set},n")) == 25
    with refused("INVALID_ARGUMENT", "label_selector"):
        select("a==(")
    with refused("INVALID_ARGUMENT", "page_size"):
        client.v1.List(v1.ListRequest(page_size=1001))
    with refused("INVALID_ARGUMENT", "page_size"):
        client.v1.List(v1.ListRequest(page_size=-1))
    with refused("INVALID_ARGUMENT", "kind"):
        client.v1.List(v1.ListRequest(kind="Host"))
    brief = client.objects(set=set, brief=True)
    assert all(o.json == b"" and o.url for o in brief)
    assert json.loads(client.objects(set=set)[0].json)["metadata"]["name"] == names[0]
    client.apply(set=set, prune=True, allow_empty=True, max_prune="100%")


def test_watch_shows_what_is_there_and_then_every_change(client, peer, three):
    set, paths, documents = three
    watch = client.watch(set=set)
    watch.wait_for(lambda item: item[0] == "SYNCED")
    assert sorted(o.name for a, o in watch.items if a == "PRESENT") == [
        f"{set}-{letter}" for letter in "abc"]
    documents["a"]["spec"]["topic"] = f"{set}.seen"
    client.apply(documents["a"], set=set)
    watch.wait_for(lambda item: item[0] == "CHANGED" and item[1].topic == f"{set}.seen")
    peer.session(paths["b"]).drop()
    watch.wait_for(lambda item: item[1].name == f"{set}-b" and item[1].phase == "Reconnecting")
    count = len(watch.items)
    eventually(lambda: any(o.name == f"{set}-b" and o.ready for _, o in watch.items[count:]), 15)
    client.delete(f"{set}-c", set=set)
    watch.wait_for(lambda item: item[0] == "DELETED" and item[1].name == f"{set}-c")
    late = connection(f"{set}-late", peer.url(f"/mute/{set}-late"))
    client.apply(late, set=set)
    watch.wait_for(lambda item: item[1].name == f"{set}-late" and item[1].ready)
    client.apply(connection(f"{set}-foreign", peer.url("/mute/foreign")), set=set + "2")
    client.apply(documents["a"], set=set)
    assert not any(o.name == f"{set}-foreign" for _, o in watch.items)


def test_delete_closes_and_forgets(client, peer, three):
    set, paths, documents = three
    session = peer.session(paths["a"])
    with refused("FAILED_PRECONDITION", set):
        client.delete(f"{set}-a", set="another")
    assert client.delete(f"{set}-a", set=set) == 1
    eventually(lambda: session.closed_at, 10, "the end of the socket")
    assert session.close_code == 1000
    with refused("NOT_FOUND"):
        client.delete(f"{set}-a")
    with refused("NOT_FOUND"):
        client.get(f"{set}-a")
    stays(lambda: dials(peer, paths) == ONCE, 0.3, "dialled after Delete")
    # The set has forgotten it too: a prune has nothing to remove.
    assert client.apply(documents["b"], documents["c"], set=set, prune=True).summary.pruned == 0
    assert client.apply(documents["a"], set=set).actions == {f"{set}-a": "created"}
    client.wait_ready(f"{set}-a")


@pytest.mark.parametrize("kind", ["Host", "connection", "x" * 1000])
def test_an_unknown_kind_is_refused(client, kind):
    with refused("INVALID_ARGUMENT", "kind"):
        client.get("x", kind)
    with refused("INVALID_ARGUMENT", "kind"):
        client.delete("x", kind)


# ConnectionSet


def hundred(name, peer, **template):
    return connection_set(
        name, "%s-{{venue}}-{{symbol|lower}}" % name,
        {"url": peer.url("/mute/%s/{{venue}}/{{symbol}}" % name),
         "topic": name + ".{{venue}}.{{symbol|lower}}", **template},
        labels={"venue": "{{venue}}"},
        matrix={"venue": [f"v{i}" for i in range(10)], "symbol": [f"S{i}" for i in range(10)]})


def test_a_set_of_a_hundred(client, peer, name):
    set = name("hundred")
    document = hundred(set, peer)
    reply = client.apply(document, set=set)
    assert reply.summary.created == 101
    assert reply.result(set, "ConnectionSet").action == v1.RESULT_ACTION_CREATED
    members = [f"{set}-v{v}-s{s}" for v in range(10) for s in range(10)]
    assert sorted(reply.actions) == sorted(members)
    assert {r.connection_set for r in reply.results if r.kind == "Connection"} == {set}
    client.wait_ready(*members, timeout=40)
    count = lambda: len([s for s in list(peer.requests) if s.path.startswith(f"/mute/{set}/")])
    assert count() == 100
    one = client.document(f"{set}-v3-s7")
    assert one["spec"]["url"] == peer.url(f"/mute/{set}/v3/S7")
    assert one["spec"]["topic"] == f"{set}.v3.s7"
    assert one["metadata"]["labels"] == {"venue": "v3"}
    assert one["metadata"]["annotations"]["wsm.virtufin.com/connection-set"] == set
    assert len(client.objects(label_selector="venue=v3", set=set)) == 10
    assert [o.name for o in client.objects(kind="ConnectionSet", set=set)] == [set]

    # Applied again, also as the server shows it: nothing happens.
    reply = client.apply(document, set=set, prune=True)
    assert reply.summary.unchanged == 101 and reply.summary.revision == 1
    reply = client.apply(client.document(set, "ConnectionSet"), set=set, prune=True)
    assert reply.summary.unchanged == 101
    # The order of the rows has no meaning.
    document["spec"]["matrix"]["venue"].reverse()
    assert client.apply(document, set=set, prune=True).summary.cut_sockets == 0
    assert count() == 100

    # One column gone: its members close, the others stay.
    document["spec"]["matrix"]["venue"].remove("v4")
    reply = client.apply(document, set=set)
    assert reply.summary.pruned == 10 and reply.summary.cut_sockets == 10
    assert {r.name for r in reply.results if r.action == v1.RESULT_ACTION_PRUNED} == {
        f"{set}-v4-s{s}" for s in range(10)}
    assert len(client.objects(set=set)) == 90
    eventually(lambda: sum(s.is_open for s in list(peer.requests)
                           if s.path.startswith(f"/mute/{set}/")) == 90, 15, "90 sockets")
    # One member's own value: only its socket is cut.
    document["spec"]["template"]["spec"]["topic"] = set + ".all"
    reply = client.apply(document, set=set)
    assert reply.summary.cut_sockets == 0 and reply.summary.configured == 91
    client.wait_ready(f"{set}-v3-s7")
    assert count() == 100
    # A member alone cannot be deleted or changed; the set goes with all of them.
    with refused("FAILED_PRECONDITION", set):
        client.delete(f"{set}-v3-s7")
    changed = connection(f"{set}-v3-s7", peer.url("/mute/changed"))
    assert client.apply(changed, set=set).actions == {f"{set}-v3-s7": "conflict"}
    assert client.delete(set, "ConnectionSet") == 90
    assert client.objects(set=set) == []
    eventually(lambda: not any(s.is_open for s in list(peer.requests)
                               if s.path.startswith(f"/mute/{set}/")), 15, "all closed")
    assert count() == 100


def test_a_set_from_a_list_edits_only_the_row_that_changed(client, peer, name):
    set = name("rows")
    rows = [{"who": "a", "n": 1}, {"who": "b", "n": 2}, {"who": "c", "n": 3}]
    document = connection_set(
        set, set + "-{{who}}", {"url": peer.url("/mute/%s/{{who}}/{{n}}" % set)}, list=rows)
    client.apply(document, set=set)
    client.wait_ready(*(f"{set}-{who}" for who in "abc"))
    rows[1]["n"] = 22
    reply = client.apply(document, set=set)
    assert [r.name for r in reply.results if r.cuts_socket] == [f"{set}-b"]
    eventually(lambda: peer.live(f"/mute/{set}/b/22"), 10)
    eventually(lambda: not peer.live(f"/mute/{set}/b/2"), 10)
    assert len(peer.live(f"/mute/{set}/a/1")) == len(peer.live(f"/mute/{set}/c/3")) == 1


def test_broken_documents_are_all_named_and_nothing_is_applied(client, peer, name):
    set = name("broken")
    good = connection(f"{set}-good", peer.url(f"/mute/{set}"))
    bad = connection(f"{set}-bad", "http://x/", tpoic="x", keepalive={"pingInterval": 5})
    with refused("INVALID_ARGUMENT", "url", "tpoic", "topic", "pingInterval", "test.json:2"):
        client.apply(good, bad, set=set)
    with refused("NOT_FOUND"):
        client.get(f"{set}-good")
    with refused("INVALID_ARGUMENT", f"{set}-good", "test.json:1", "test.json:2"):
        client.apply(good, good, set=set)
    assert peer.dials(f"/mute/{set}") == []


def test_status_is_ignored_with_a_warning_where_it_is_wrong(client, peer, name):
    own = name()
    document = connection(own, peer.url(f"/mute/{own}"))
    document["status"] = {"phase": "Connected", "nonsense": 1}
    reply = client.apply(document, set=own)
    assert reply.actions == {own: "created"}
    assert any("status" in warning for warning in reply.summary.warnings)


def test_server_info(client):
    info = client.info()
    assert info.version and info.instance_id and info.epoch > 0 and info.started_at > 1_700_000_000
    assert info.connections == len(client.objects(brief=True))
