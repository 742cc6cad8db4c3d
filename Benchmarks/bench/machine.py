"""What a process used, and how busy the machine is with other things."""

import os
import pathlib
import platform
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process and all its threads, in steps of 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def fine_cpu_seconds(pid):
    """Time that the threads now alive have run, to the nanosecond."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass  # It ended meanwhile.
    return total / 1e9


def _status_kib(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    raise RuntimeError(f"no {key} of {pid}")


def resident_kib(pid):
    return _status_kib(pid, "VmRSS")


def peak_resident_kib(pid):
    """Since the start, or since `forget_peak`."""
    return _status_kib(pid, "VmHWM")


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def settle(pid, quiet=0.4, until=30.0):
    """Waits until the process has nothing left to do; returns its processor time then."""
    deadline = time.monotonic() + until
    last, since = cpu_seconds(pid), time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.05)
        now = cpu_seconds(pid)
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > quiet:
            return last
    raise RuntimeError("the process does not come to rest")


def _busy_niced_all():
    fields = [int(f) for f in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields) - fields[1] - fields[3] - fields[4], fields[1], sum(fields)


def busy_share(seconds=0.3):
    """How much of the processors others use, and use at a lower priority, from 0 to 1; asked before
    anything of ours runs."""
    before = _busy_niced_all()
    time.sleep(seconds)
    busy, niced, everything = (b - a for a, b in zip(before, _busy_niced_all()))
    return busy / max(1, everything), niced / max(1, everything)


def describe():
    """Of the host, for the record."""
    models = [line.split(":", 1)[1].strip()
              for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    return {
        "cores": os.cpu_count(), "processor": models[0] if models else platform.machine(),
        "kernel": platform.release(), "load": os.getloadavg()}
