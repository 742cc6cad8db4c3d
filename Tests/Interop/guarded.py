"""A server that knows its callers: certificates, tokens, and clients that have them."""

import os
import subprocess

import grpc

import certificates
from client import Client
from processes import Server, binary

ADMIN = "admin-token-of-the-interop-tests"
READ = "read-token-of-the-interop-tests"
WRONG = "wrong-token-of-the-interop-tests"


class Guarded:
    """`wsm-server` with any of TLS, tokens and client certificates, and its files."""

    def __init__(self, directory, tls=True, tokens=True, client_ca=False, arguments=(), env=None):
        self.directory = directory
        self.pki = directory / "pki"
        self.tokens = directory / "tokens"
        self.tls = tls
        certificates.make(self.pki, "DNS:localhost", "IP:127.0.0.1")
        certificates.issue(self.pki, "admin", "/CN=ada", "extendedKeyUsage=clientAuth")
        certificates.issue(
            self.pki, "reader", "/OU=wsm-read/CN=grace", "extendedKeyUsage=clientAuth")
        self.write_tokens(f"admin deploy {ADMIN}\n# and\nread dashboards {READ}\n")
        flags = ["--log-level", "info", *arguments]
        if tls:
            flags += ["--tls-cert", self.pki / "server.pem", "--tls-key", self.pki / "server.key"]
        if tokens:
            flags += ["--token-file", self.tokens]
        if client_ca:
            flags += ["--client-ca", self.pki / "ca.pem"]
        self.process = Server(directory / "data", *flags, env=env).ready()
        self.clients = []

    def write_tokens(self, text):
        """As an editor does: another file, in the place of the old one."""
        new = self.tokens.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o600)
        new.rename(self.tokens)

    @property
    def address(self):
        return self.process.address

    @property
    def log(self):
        return self.process.log

    def credentials(self, identity=None, ca="ca"):
        def read(name):
            return (self.pki / name).read_bytes()

        return grpc.ssl_channel_credentials(
            read(f"{ca}.pem"),
            read(f"{identity}.key") if identity else None,
            read(f"{identity}.pem") if identity else None)

    def client(self, token=None, identity=None):
        credentials = self.credentials(identity) if self.tls else None
        self.clients.append(Client(self.address, credentials, token))
        return self.clients[-1]

    def cli(self, *arguments, input=b"", **env):
        """Runs `wsm-apply` without anything of this machine's environment."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("WSM_", "XDG_"))}
        return subprocess.run(
            [binary("wsm-apply"), *map(str, arguments)], input=input, capture_output=True,
            timeout=40, cwd=self.directory,
            env={**clean, "HOME": str(self.directory), "WSM_SERVER": self.address, **env})

    def secret(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def close(self):
        for client in self.clients:
            client.close()
        self.process.kill()
