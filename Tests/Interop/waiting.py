"""Waiting without fixed sleeps: poll until a deadline."""

import time


def eventually(check, timeout=10.0, what="", interval=0.01):
    """Returns the first true result of `check`; fails after `timeout`, naming `what`."""
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise AssertionError(f"not within {timeout} s: {text} (last: {result!r})")
        time.sleep(interval)


def stays(check, seconds, what=""):
    """Fails as soon as `check` is false within the next `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert check(), what() if callable(what) else what
        time.sleep(0.01)
