"""Expecting a call to fail."""

import grpc


class refused:
    """The call in this block fails with a code, and with every one of the texts."""

    def __init__(self, code, *texts):
        self.code = getattr(grpc.StatusCode, code)
        self.texts = texts
        self.details = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        assert kind is not None, f"the call was answered; {self.code} was expected"
        if not issubclass(kind, grpc.RpcError):
            return False
        self.details = error.details()
        assert error.code() == self.code, f"{error.code()}: {self.details}"
        for text in self.texts:
            assert text in self.details, f"{text!r} is not in {self.details!r}"
        return True
