"""The server tells a service manager how it is, as sd_notify(3) describes."""

import socket

import pytest


class Notifications:
    """The socket a service manager listens on."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.socket.settimeout(30)

    def until(self, wanted):
        """All datagrams up to the first that holds a line."""
        seen = []
        while not seen or wanted not in seen[-1].split("\n"):
            seen.append(self.socket.recv(4096).decode())
        return seen


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_ready_signs_of_life_and_the_end(new_server, tmp_path, kind):
    name = str(tmp_path / "notify")
    heard = Notifications(name if kind == "path" else "\0" + name)
    life = new_server(env={
        "NOTIFY_SOCKET": name if kind == "path" else "@" + name, "WATCHDOG_USEC": "200000"})
    first = heard.until("READY=1")
    assert len(first) == 1, "nothing is said before the server answers calls"
    assert life.client.objects(brief=True) == []
    heard.until("WATCHDOG=1")
    heard.until("WATCHDOG=1")
    code, _ = life.process.terminate()
    assert code == 0
    heard.until("STOPPING=1")


def test_without_a_watchdog_no_sign_of_life_is_sent(new_server, tmp_path):
    heard = Notifications(str(tmp_path / "notify"))
    life = new_server(env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    heard.until("READY=1")
    life.process.terminate()
    assert not any("WATCHDOG" in datagram for datagram in heard.until("STOPPING=1"))
