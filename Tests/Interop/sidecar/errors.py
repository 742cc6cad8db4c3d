"""Errors as daprd words them: a code, a message, and from 1.15 on the word for machines."""

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

Code = grpc.StatusCode


class Refusal(Exception):
    def __init__(self, code, message, reason=None):
        super().__init__(message)
        self.code, self.message, self.reason = code, message, reason

    async def answer(self, context):
        trailers = ()
        if self.reason:
            info = any_pb2.Any()
            info.Pack(error_details_pb2.ErrorInfo(reason=self.reason, domain="dapr.io"))
            status = status_pb2.Status(
                code=self.code.value[0], message=self.message, details=[info])
            trailers = (("grpc-status-details-bin", status.SerializeToString()),)
        await context.abort(self.code, self.message, trailers)


class EtagMismatch(Exception):
    """The component's error that becomes ABORTED."""


class EtagInvalid(Exception):
    """The component's error that becomes INVALID_ARGUMENT."""


class ComponentError(Exception):
    """Any other error of a component: INTERNAL."""
