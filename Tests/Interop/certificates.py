"""A certificate authority of our own, made with the openssl command."""

import subprocess


def _openssl(directory, *arguments):
    subprocess.run(
        ["openssl", *arguments], cwd=directory, check=True, capture_output=True, timeout=60)


_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def make(directory, *names):
    """Writes ca.pem, server.pem and server.key; `names` as in subjectAltName."""
    directory.mkdir(parents=True, exist_ok=True)
    _openssl(directory, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem",
             "-days", "2", "-subj", "/CN=Interop CA",
             "-addext", "basicConstraints=critical,CA:TRUE",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    issue(directory, "server", "/CN=server",
          f"subjectAltName={','.join(names)}", "extendedKeyUsage=serverAuth")
    return directory


def issue(directory, name, subject, *extensions):
    """Writes NAME.pem and NAME.key, of the authority in the directory."""
    _openssl(directory, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr",
             "-subj", subject)
    (directory / f"{name}.ext").write_text("".join(f"{line}\n" for line in extensions))
    _openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem",
             "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2",
             "-extfile", f"{name}.ext")
    return directory / f"{name}.pem", directory / f"{name}.key"
