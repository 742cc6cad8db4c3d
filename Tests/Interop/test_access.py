"""Who may enter: every call by every kind of caller; TLS by independent peers; files that change."""

import http.client
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess

import grpc
import grpc_tools
import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

import certificates
from client import Client, connection
from guarded import ADMIN, READ, WRONG, Guarded
from http_calls import SERVICES, rules
from processes import Process, Server, free_port
from refusals import refused
from stubs import REPOSITORY, v1
from waiting import eventually

# What needs nobody, and what a reader may; all else is an admin's. The server's own table is held
# against the descriptors by a unit test; this one is written out by hand.
FREE = {"grpc.health.v1.Health/Check", "grpc.health.v1.Health/List", "grpc.health.v1.Health/Watch"}
READERS = {
    *(f"virtufin.WebSocketManager/{name}" for name in ("List", "GetTag", "GetTags")),
    *(f"wsm.v1.Orchestrator/{name}" for name in (
        "Plan", "Get", "List", "Watch", "Events", "Subscribe", "GetHistory", "GetServerInfo",
        "GetServerStatus", "GetCluster")),
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}
REFUSALS = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    server = Guarded(tmp_path_factory.mktemp("guarded"), client_ca=True)
    yield server
    assert server.process.is_alive, server.log[-2000:]
    server.close()


@pytest.fixture
def make(tmp_path):
    servers = []

    def start(**options):
        directory = tmp_path / f"s{len(servers)}"
        directory.mkdir()
        servers.append(Guarded(directory, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def all_methods(directory):
    """Every RPC of the committed protos, as package.Service/Method."""
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    protos = REPOSITORY / "Protos"
    out = directory / "descriptors"
    files = [str(path.relative_to(protos)) for path in protos.rglob("*.proto")]
    assert protoc.main(["protoc", f"-I{protos}", f"-I{well_known}",
                        f"--descriptor_set_out={out}", *files]) == 0
    found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return sorted(
        f"{file.package}.{service.name}/{method.name}"
        for file in found.file for service in file.service for method in service.method)


def code_of(client, method, timeout=5.0):
    """The status of a call with one empty message; a stream that goes on is cancelled: it was let
    in."""
    call = client.channel.stream_stream(
        f"/{method}", request_serializer=bytes, response_deserializer=bytes)(
            iter([b""]), timeout=timeout)
    try:
        for _ in call:
            call.cancel()
            return grpc.StatusCode.OK
    except grpc.RpcError as error:
        return error.code()
    return call.code()


def test_every_call_by_every_kind_of_caller(guarded, tmp_path):
    callers = {
        "nobody": guarded.client(),
        "wrong": guarded.client(token=WRONG),
        "reader": guarded.client(token=READ),
        "admin": guarded.client(token=ADMIN),
        "read certificate": guarded.client(identity="reader"),
        "admin certificate": guarded.client(identity="admin"),
    }
    served = set()
    for method in all_methods(tmp_path):
        # Streams that say nothing at first: what counts is that they are not refused.
        slow = method.endswith(("/Events", "/Subscribe", "/Watch"))
        codes = {name: code_of(client, method, 0.5 if slow else 5.0)
                 for name, client in callers.items()}
        if codes["admin"] == grpc.StatusCode.UNIMPLEMENTED:
            continue
        served.add(method.split("/")[0])
        for name, code in codes.items():
            if method in FREE or name.startswith("admin"):
                expected = None
            elif name in ("nobody", "wrong"):
                expected = grpc.StatusCode.UNAUTHENTICATED
            elif method in READERS:
                expected = None
            else:
                expected = grpc.StatusCode.PERMISSION_DENIED
            if expected is None:
                assert code not in REFUSALS, f"{method} by {name}: {code}"
            else:
                assert code == expected, f"{method} by {name}: {code}"
    assert {"virtufin.WebSocketManager", "wsm.v1.Orchestrator"} <= served


def http_status(server, verb, path, token=None, body=None):
    """The status of one request on the HTTP port; what follows the head is not waited for."""
    context = ssl.create_default_context(cafile=server.pki / "ca.pem")
    connection = http.client.HTTPSConnection(
        "localhost", server.process.http_port, timeout=20, context=context)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(verb, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def http_requests():
    """Every way to make every RPC on the HTTP port: its routes, and its Connect path."""
    for service in SERVICES.values():
        for method in service.methods:
            name = f"{service.full_name}/{method.name}"
            for verb, path, has_body in rules(method):
                yield name, verb, re.sub(r"\{\w+\}", "x", path), "{}" if has_body else None
            if not method.client_streaming and not method.server_streaming:
                yield name, "POST", f"/{name}", "{}"


def test_every_route_by_every_kind_of_caller(guarded):
    seen = 0
    for name, verb, path, body in http_requests():
        seen += 1
        for caller, token in {
                "nobody": None, "wrong": WRONG, "reader": READ, "admin": ADMIN}.items():
            status = http_status(guarded, verb, path, token, body)
            if caller in ("nobody", "wrong"):
                assert status == 401, f"{verb} {path} by {caller}: {status}"
            elif caller == "reader" and name not in READERS:
                assert status == 403, f"{verb} {path} by {caller}: {status}"
            else:
                assert status not in (401, 403), f"{verb} {path} by {caller}: {status}"
    assert seen > 40


def test_pages_need_read_and_probes_nothing(guarded):
    for page in ("/metrics", "/readyz?verbose", "/openapi.json", "/"):
        assert http_status(guarded, "GET", page) == 401, page
        assert http_status(guarded, "GET", page, WRONG) == 401, page
        assert http_status(guarded, "GET", page, READ) == 200, page
    for probe in ("/livez", "/readyz", "/healthz", "/health", "/health/live"):
        assert http_status(guarded, "GET", probe) == 200, probe


def test_a_stream_of_health_over_http_is_for_callers_that_are_known(guarded):
    """It keeps one of the port's connections, so it is not for everybody as the probes are."""
    def grpc_web(method, token=None):
        context = ssl.create_default_context(cafile=guarded.pki / "ca.pem")
        connection = http.client.HTTPSConnection(
            "localhost", guarded.process.http_port, timeout=10, context=context)
        headers = {"Content-Type": "application/grpc-web+proto"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request("POST", f"/grpc.health.v1.Health/{method}", bytes(5), headers)
        return connection, connection.getresponse()

    connection, refused_stream = grpc_web("Watch")
    said = str(refused_stream.headers).encode() + refused_stream.read()
    assert refused_stream.status == 401 or b"grpc-status: 16" in said.replace(b":16", b": 16"), said
    connection.close()
    connection, check = grpc_web("Check")
    assert check.status == 200 and check.read()[5:7] == b"\x08\x01"
    connection.close()
    connection, stream = grpc_web("Watch", READ)
    assert stream.status == 200 and stream.read(7)[5:7] == b"\x08\x01"
    connection.close()


def test_the_sentences_say_what_is_missing(guarded):
    with refused("UNAUTHENTICATED", "neither a token", "nor a client certificate"):
        guarded.client().info()
    with refused("UNAUTHENTICATED", "the token is not known"):
        guarded.client(token=WRONG).info()
    with refused("PERMISSION_DENIED", "dashboards", "role read", "needs admin"):
        guarded.client(token=READ).delete("x")
    with refused("UNAUTHENTICATED", "the token is not known"):
        guarded.client(token=WRONG, identity="admin").info()


def test_two_authorization_headers_are_refused(guarded):
    stub = guarded.client(token=READ).v1
    with refused("UNAUTHENTICATED", "twice"):
        stub.GetServerInfo(
            v1.GetServerInfoRequest(), metadata=[("authorization", f"Bearer {ADMIN}")], timeout=10)


def test_metadata_of_the_gateway_does_not_help_a_caller(guarded):
    # role, means, address and name in hexadecimal: a valid admin, were it believed.
    forged = " ".join(text.encode().hex() for text in ("admin", "token", "x", "root"))
    with refused("UNAUTHENTICATED"):
        guarded.client().v1.GetServerInfo(
            v1.GetServerInfoRequest(), metadata=[("wsm-caller", forged)], timeout=10)
    with refused("PERMISSION_DENIED"):
        guarded.client(token=READ).v1.Delete(
            v1.DeleteRequest(name="x"), metadata=[("wsm-caller", forged)], timeout=10)


# Start


@pytest.mark.parametrize("flags, texts", [
    (["--bind", "0.0.0.0"], ["--tls-cert and --tls-key", "--token-file or --client-ca"]),
    (["--bind", "0.0.0.0", "--token-file", "t"], ["--tls-cert and --tls-key"]),
    (["--client-ca", "x"], ["--client-ca needs --tls-cert"]),
])
def test_what_is_not_safe_does_not_start(tmp_path, flags, texts):
    server = Server(tmp_path / "data", *flags)
    assert server.popen.wait(20) == 2
    for text in texts:
        assert text in server.log


def test_an_open_server_says_so(tmp_path):
    server = Server(tmp_path / "data", "--bind", "0.0.0.0", "--insecure").ready()
    try:
        server.wait_for(r"warning.*everybody who reaches the address.*the server is not secure")
    finally:
        server.kill()


def test_beyond_loopback_with_tls_and_tokens(make):
    server = make(arguments=["--bind", "0.0.0.0"])
    assert server.client(token=READ).info().version
    with refused("UNAUTHENTICATED"):
        server.client().info()


def test_a_broken_token_file_names_the_line_not_the_token(tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"admin a {ADMIN}\nadmin b shorttoken\n")
    server = Server(tmp_path / "data", "--token-file", tokens)
    assert server.popen.wait(20) == 1
    assert "line 2: a token has 16" in server.log
    assert ADMIN not in server.log and "shorttoken" not in server.log


# TLS, by openssl


def s_client(server, *arguments):
    return subprocess.run(
        ["openssl", "s_client", "-connect", server.address, "-alpn", "h2", "-CAfile",
         str(server.pki / "ca.pem"), "-verify_return_error", *map(str, arguments)],
        input=b"", capture_output=True, timeout=20).stdout.decode(errors="replace")


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_openssl_agrees_on_tls_and_alpn(guarded, version):
    said = s_client(guarded, f"-{version}")
    assert "ALPN protocol: h2" in said
    assert "Verify return code: 0 (ok)" in said
    assert "Interop CA" in said.split("Acceptable client certificate CA names")[1]


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_old_tls_is_refused(guarded, version):
    said = s_client(guarded, f"-{version}", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "Cipher is (NONE)" in said


def test_a_client_certificate_is_required_where_nothing_else_counts(make, tmp_path):
    server = make(tokens=False, client_ca=True)
    assert server.client(identity="admin").info().version
    with refused("PERMISSION_DENIED", "grace", "by its certificate"):
        server.client(identity="reader").delete("x")
    other = certificates.make(tmp_path / "other", "DNS:localhost")
    certificates.issue(other, "ada", "/CN=ada", "extendedKeyUsage=clientAuth")
    for name in ("ada.pem", "ada.key"):
        shutil.copy(other / name, server.pki / name)
    # Of nobody, of another authority, and made for servers: none of them gets through TLS.
    for identity in (None, "ada", "server"):
        with refused("UNAVAILABLE"):
            server.client(identity=identity).info()


def test_plain_text_at_a_tls_port_and_noise(guarded):
    with pytest.raises(grpc.RpcError):
        channel = grpc.insecure_channel(guarded.address)
        channel.unary_unary("/wsm.v1.Orchestrator/GetServerInfo")(b"", timeout=5)
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"\0"):
        with socket.create_connection(("127.0.0.1", guarded.process.port), 5) as peer:
            peer.sendall(noise)
            peer.shutdown(socket.SHUT_WR)
            peer.settimeout(5)
            try:
                while peer.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    assert guarded.client(token=READ).info().version


# wsm-apply


def expect(result, code, *texts):
    said = (result.stdout + result.stderr).decode(errors="replace")
    assert result.returncode == code, f"{result.returncode}: {said}"
    for text in texts:
        assert text in said, said
    return said


def test_wsm_apply_enters_by_token_and_by_certificate(guarded):
    ca = ("--ca", guarded.pki / "ca.pem")
    token = guarded.secret("admin.token", ADMIN + "\n")
    reader = guarded.secret("read.token", READ)
    expect(guarded.cli("get", *ca, "--token-file", token), 0)
    expect(guarded.cli("get", *ca, WSM_TOKEN_FILE=str(reader)), 0)
    expect(guarded.cli("delete", "x", *ca, "--token-file", reader), 3, "does not let us in",
           "needs admin")
    expect(guarded.cli("get", *ca), 3, "does not let us in", "neither a token")
    mine = ("--cert", guarded.pki / "admin.pem", "--key", guarded.pki / "admin.key")
    expect(guarded.cli("version", *ca, *mine), 0, "server")
    expect(guarded.cli("get", *ca, "--cert", guarded.pki / "admin.pem", "--key",
                       guarded.pki / "reader.key"), 2, "is not the key of")


def test_wsm_apply_reads_its_context(guarded):
    directory = guarded.directory / ".config" / "wsm"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "dash.token").write_text(READ)
    (directory / "contexts.yaml").write_text(f"""\
currentContext: dash
contexts:
  dash: {{server: "{guarded.address}", ca: {guarded.pki}/ca.pem, tokenFile: dash.token}}
""")
    expect(guarded.cli("get", WSM_SERVER=""), 0)
    said = expect(guarded.cli("config", "view", "--show-origin", WSM_SERVER=""), 0, "context dash")
    assert READ not in said
    expect(guarded.cli("delete", "x", WSM_SERVER=""), 3, "context dash")
    (directory / "contexts.yaml").unlink()


def test_wsm_apply_trusts_nobody_it_was_not_told_to(guarded, tmp_path):
    other = certificates.make(tmp_path / "other", "DNS:localhost", "IP:127.0.0.1")
    token = guarded.secret("admin.token", ADMIN)
    for trust in (["--ca", other / "ca.pem"], ["--tls"]):
        expect(guarded.cli("get", *trust, "--token-file", token), 3, "an authority we trust")
    # No TLS where it is wanted.
    expect(guarded.cli("get"), 3, "if it wants TLS")


class StandIn(Process):
    """`openssl s_server` with somebody's certificate."""

    def __init__(self, pki, log):
        self.port = free_port()
        super().__init__(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert",
             pki / "server.pem", "-key", pki / "server.key", "-alpn", "h2", "-www"], log)
        self.wait_for("ACCEPT")


def test_peers_with_other_certificates(guarded, tmp_path):
    pki = certificates.make(tmp_path / "pki", "DNS:elsewhere.example")
    mine = certificates.make(tmp_path / "mine", "IP:127.0.0.1")
    token = guarded.secret("admin.token", ADMIN)
    stray, right = StandIn(pki, tmp_path / "a.log"), StandIn(mine, tmp_path / "b.log")
    try:
        def get(peer, ca):
            return guarded.cli("get", "--server", f"127.0.0.1:{peer.port}", "--ca", ca,
                               "--token-file", token)

        # The wrong authority; the right one, but another name.
        expect(get(stray, mine / "ca.pem"), 3, "an authority we trust")
        expect(get(stray, pki / "ca.pem"), 3, "made out to another name")
        # The right one: TLS is well; what it speaks then is no gRPC.
        assert "certificate" not in expect(get(right, mine / "ca.pem"), 3).lower()
        for peer in (stray, right):
            assert ADMIN not in peer.log
    finally:
        stray.kill()
        right.kill()


# nghttp2


GRPC_HEADERS = ["-H", "content-type: application/grpc", "-H", "te: trailers"]


def test_h2load_drives_the_grpc_port(guarded, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"\0\0\0\0\0")
    result = subprocess.run(
        ["h2load", "-n", "2000", "-c", "8", "-m", "50", "-d", str(body), *GRPC_HEADERS,
         "-H", f"authorization: Bearer {READ}",
         f"https://{guarded.address}/wsm.v1.Orchestrator/GetServerInfo"],
        capture_output=True, timeout=120, text=True)
    assert "2000 done, 2000 succeeded, 0 failed, 0 errored" in result.stdout, result.stdout
    assert "2000 2xx" in result.stdout
    assert guarded.client(token=READ).info().version


@pytest.mark.parametrize("token, status", [(None, 16), (WRONG, 16), (READ, 0)])
def test_nghttp_sees_the_status(guarded, tmp_path, token, status):
    body = tmp_path / "body"
    body.write_bytes(b"\0\0\0\0\0")
    headers = ["-H", f"authorization: Bearer {token}"] if token else []
    said = subprocess.run(
        ["nghttp", "-v", "-n", "-d", str(body), *GRPC_HEADERS, "-H", ":method: POST", *headers,
         f"https://{guarded.address}/wsm.v1.Orchestrator/GetServerInfo"],
        capture_output=True, timeout=30, text=True).stdout
    assert re.search(r":status: 200", said), said
    assert re.search(rf"grpc-status: {status}\b", said), said


# Files that change


def shown(server):
    """The certificate that a new connection is shown."""
    return ssl.get_server_certificate(("127.0.0.1", server.process.port))


def test_files_change_under_open_calls(make):
    server = make()
    first = shown(server)
    admin = server.client(token=ADMIN)
    watch = admin.watch()
    watch.wait(1)
    new = "another-token-of-the-interop-tests"
    server.write_tokens(f"admin deploy {new}\nread dashboards {READ}\n")
    certificates.issue(server.pki, "server", "/CN=again",
                       "subjectAltName=DNS:localhost,IP:127.0.0.1")
    # By itself within some seconds.
    eventually(lambda: shown(server) != first, 20, "the new certificate")

    def is_refused():
        try:
            admin.info()
        except grpc.RpcError as error:
            return error.code() == grpc.StatusCode.UNAUTHENTICATED
        return False

    eventually(is_refused, 20, "the old token refused")
    fresh = server.client(token=new)
    fresh.apply(connection("made-later", "ws://127.0.0.1:9/", autoReconnect=False))
    watch.wait_for(lambda item: item[1].name == "made-later", what="the stream lives on")
    assert watch.error is None
    assert new not in server.log and ADMIN not in server.log


def test_a_broken_file_keeps_what_was(make):
    server = make()
    good = server.tokens.read_text()
    server.write_tokens("admin deploy\n")
    server.process.popen.send_signal(signal.SIGHUP)
    server.process.wait_for(r"an access file is broken")
    assert server.client(token=ADMIN).info().version
    (server.pki / "server.pem").write_text("half a certificate")
    server.process.popen.send_signal(signal.SIGHUP)
    server.process.wait_for(r"holds no certificates in PEM")
    assert server.client(token=ADMIN).info().version
    server.write_tokens(good + "admin more more-token-of-the-interop-tests\n")
    server.process.popen.send_signal(signal.SIGHUP)
    server.process.wait_for(r"access files were read again")
    assert server.client(token="more-token-of-the-interop-tests").info().version


def test_another_client_authority_counts_for_new_connections(make, tmp_path):
    server = make(tokens=False, client_ca=True)
    old = server.client(identity="admin")
    watch = old.watch()
    watch.wait(1)
    other = certificates.make(tmp_path / "other", "DNS:localhost")
    certificates.issue(other, "new", "/CN=new", "extendedKeyUsage=clientAuth")
    for name in ("new.pem", "new.key"):
        shutil.copy(other / name, server.pki / name)
    trusted = (server.pki / "ca.pem").read_bytes()
    shutil.copy(other / "ca.pem", server.pki / "clients.new")
    (server.pki / "trusted.pem").write_bytes(trusted)
    (server.pki / "clients.new").rename(server.pki / "ca.pem")

    def client(identity):
        key, pem = (server.pki / f"{identity}.key").read_bytes(), \
            (server.pki / f"{identity}.pem").read_bytes()
        server.clients.append(Client(
            server.address, grpc.ssl_channel_credentials(trusted, key, pem)))
        return server.clients[-1]

    def enters(identity):
        try:
            return bool(client(identity).info().version)
        except grpc.RpcError:
            return False

    server.process.popen.send_signal(signal.SIGHUP)
    eventually(lambda: enters("new"), 20, "the new authority", 0.2)
    assert not enters("admin")
    client("new").apply(connection("by-new", "ws://127.0.0.1:9/", autoReconnect=False))
    watch.wait_for(lambda item: item[1].name == "by-new", what="the old connection lives on")


# Audit


def audit_lines(server):
    return [line for line in server.log.splitlines() if "audit=true" in line]


def test_every_change_leaves_a_line(make, peer):
    server = make()
    admin = server.client(token=ADMIN)
    admin.apply(connection("audited", peer.url("/echo/audited")), set="prod")
    id = admin.connect(peer.url("/echo/by-connect?key=s3cret")).id
    admin.start_publish(id, "some.topic")
    admin.delete("audited")
    with refused("NOT_FOUND"):
        admin.delete("audited")
    with refused("PERMISSION_DENIED"):
        server.client(token=READ).delete("audited")
    admin.list()

    def line(*texts):
        return eventually(
            lambda: next((l for l in audit_lines(server) if all(t in l for t in texts)), None), 10,
            lambda: f"{texts} in\n" + "\n".join(audit_lines(server)))

    for texts in (
        ["Orchestrator/Apply", "set/prod", "connection/audited", "revision/1", "outcome=OK"],
        ["WebSocketManager/Connect", "/echo/by-connect", f"connection/{id}", "outcome=OK"],
        ["WebSocketManager/StartPublish", f"connection/{id}", "topic/some.topic", "outcome=OK"],
        ["Orchestrator/Delete", "connection/audited", "outcome=OK"],
        ["Orchestrator/Delete", "connection/audited", "outcome=NOT_FOUND"],
    ):
        found = line(*texts, "caller=deploy", "role=admin", "means=token")
        assert re.search(r"from=127\.0\.0\.1:\d+", found)
    line("refused", "Orchestrator/Delete", "outcome=PERMISSION_DENIED", "dashboards")
    assert not any("WebSocketManager/List" in l for l in audit_lines(server))
    assert "s3cret" not in server.log


def test_the_history_names_who_was_proven(make):
    server = make()
    manifest = server.directory / "m.yaml"
    manifest.write_text(
        "apiVersion: wsm.virtufin.com/v1\nkind: Connection\nmetadata: {name: a}\n"
        "spec: {url: 'ws://127.0.0.1:9/'}\n")
    token = server.secret("admin.token", ADMIN)
    expect(server.cli("-f", manifest, "--ca", server.pki / "ca.pem", "--token-file", token), 0)
    history = server.client(token=READ).v1.GetHistory(v1.GetHistoryRequest(), timeout=10)
    assert re.fullmatch(r"deploy \(.+@.+\)", history.revisions[0].by)
