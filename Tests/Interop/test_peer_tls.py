"""Members of a cluster that reach each other over TLS."""

import grpc
import pytest

import certificates
from client import CALL, Client, connection
from cluster import wait_settled
from processes import Server, free_port
from stubs import ws
from waiting import eventually

ADMIN = "admin-token-of-the-interop-tests"
PEERS = "peer-token-of-the-interop-tests"


class Member:
    """One of several servers on one file, with a certificate of one authority."""

    def __init__(self, directory, name, pki, peer_ca):
        self.name, port = name, free_port()
        self.process = Server(
            directory / "data", "--shared-state", "--instance-id", name, "--grpc-port", port,
            "--tls-cert", pki / "server.pem", "--tls-key", pki / "server.key",
            "--token-file", directory / "tokens", "--peer-token-file", directory / "peers",
            "--peer-ca", peer_ca, "--log-level", "info", log=directory / f"{name}.log")
        self.ca = (pki / "ca.pem").read_bytes()
        self.client = None

    def ready(self):
        self.process.ready()
        self.client = Client(
            f"localhost:{self.process.port}", grpc.ssl_channel_credentials(self.ca), ADMIN)
        return self

    def close(self):
        if self.client:
            self.client.close()
        self.process.kill()


@pytest.fixture
def directory(tmp_path):
    for name, text in {"tokens": f"admin deploy {ADMIN}\n", "peers": f"{PEERS}\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    certificates.make(tmp_path / "pki", "DNS:localhost")
    certificates.make(tmp_path / "other", "DNS:localhost")
    return tmp_path


@pytest.fixture
def start(directory):
    members = []

    def make(name, peer_ca="pki"):
        members.append(Member(
            directory, name, directory / "pki", directory / peer_ca / "ca.pem"))
        return members[-1]

    yield make
    for member in members:
        member.close()


def owners(member):
    """Name → the instance that serves it."""
    found = member.client.ws.List(ws.ListRequest(), timeout=CALL).connections
    return {c.id: c.instance_id for c in found}


def refusal(member, name):
    """What a change of a connection is refused with."""
    try:
        member.client.ws.SetTag(ws.SetTagRequest(id=name, key="k", value="w"), timeout=CALL)
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"
    return None


def test_a_call_is_passed_on_over_tls_and_a_wrong_authority_is_told(start):
    one, two = start("one").ready(), start("two").ready()
    # Certificates of members are not of their addresses: the authority alone counts.
    wait_settled(one, ["one", "two"])
    names = [f"c{number}" for number in range(24)]
    one.client.apply(*(connection(name, "ws://127.0.0.1:1/") for name in names))
    eventually(
        lambda: set(owners(one)) == set(names) and "two" in owners(one).values(), 60,
        lambda: f"{owners(one)}", 0.2)
    foreign = next(name for name, owner in owners(one).items() if owner == "two")
    one.client.ws.SetTag(ws.SetTagRequest(id=foreign, key="k", value="v"), timeout=CALL)

    def tag():
        request = ws.GetTagRequest(id=foreign, key="k")
        return two.client.ws.GetTag(request, timeout=CALL).value

    assert tag() == "v"
    # The caller is the same at the owner, and its log says who passed the call on.
    line = next(l for l in two.process.log.splitlines() if "SetTag" in l and foreign in l)
    assert "caller=deploy" in line and "via=127.0.0.1:" in line, line
    # It takes nobody's certificate for that of a member.
    stranger = start("stranger", peer_ca="other").ready()
    told = f"UNAVAILABLE: the instance at 127.0.0.1:{two.process.port} does not answer"
    eventually(
        lambda: told in (refusal(stranger, foreign) or ""), 30,
        lambda: f"{refusal(stranger, foreign)}")
    assert "certificate" in refusal(stranger, foreign).lower()
    assert tag() == "v"
