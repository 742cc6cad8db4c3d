"""The gRPC service, on the servicer of the official package."""

import asyncio
import functools

from dapr.proto.runtime.v1 import dapr_pb2_grpc
from dapr.proto import api_v1
from google.protobuf import empty_pb2

from .broker import publish_all
from .envelope import wrap
from .errors import Code, ComponentError, EtagInvalid, EtagMismatch, Refusal


def answering(method):
    """Refusals become what gRPC sends; the token is asked for first."""

    @functools.wraps(method)
    async def call(self, request, context):
        try:
            if self.token is not None:
                given = dict(context.invocation_metadata()).get("dapr-api-token")
                if given != self.token:
                    raise Refusal(Code.UNAUTHENTICATED, "missing or invalid api token")
            return await method(self, request)
        except Refusal as refusal:
            await refusal.answer(context)

    return call


class Service(dapr_pb2_grpc.DaprServicer):
    VERSION = "1.18.3"

    def __init__(self, options, store, broker, faults, secrets):
        self.app_id = options.app_id
        self.token = options.api_token
        self.store_name, self.pubsub_name = options.state_store_name, options.pubsub_name
        self.store, self.broker, self.faults, self.secrets = store, broker, faults, secrets
        self.calls = {}

    def _count(self, name):
        self.calls[name] = self.calls.get(name, 0) + 1

    # State

    def _check_store(self, name, keys):
        if not name or name != self.store_name or name in self.faults.missing:
            if self.store_name in self.faults.missing or not self.store_name:
                raise Refusal(
                    Code.FAILED_PRECONDITION, "state store is not configured",
                    "DAPR_STATE_NOT_CONFIGURED")
            raise Refusal(
                Code.INVALID_ARGUMENT, f"state store {name} is not found", "DAPR_STATE_NOT_FOUND")
        for key in keys:
            if "||" in key:
                raise Refusal(
                    Code.INVALID_ARGUMENT, f"input key/keyPrefix '{key}' can't contain '||'",
                    "DAPR_STATE_ILLEGAL_KEY")

    def _prefixed(self, key):
        return f"{self.app_id}||{key}"

    @answering
    async def GetState(self, request):
        self._count("GetState")
        self._check_store(request.store_name, [request.key])

        async def read(_):
            return await self.store.get(self._prefixed(request.key))

        try:
            value = await self.faults.around("state.read", [request.key], read)
        except ComponentError as error:
            raise Refusal(
                Code.INTERNAL, f"fail to get {request.key} from state store "
                f"{request.store_name}: {error}", "ERR_STATE_GET") from None
        if not value:
            return api_v1.GetStateResponse()
        return api_v1.GetStateResponse(data=value[0], etag=value[1])

    @answering
    async def GetBulkState(self, request):
        self._count("GetBulkState")
        self._check_store(request.store_name, request.keys)
        keys = [self._prefixed(key) for key in request.keys]

        async def read(_):
            return await self.store.bulk(keys, request.parallelism)

        try:
            found = await self.faults.around("state.read", list(request.keys), read)
        except ComponentError as error:
            raise Refusal(Code.UNKNOWN, str(error)) from None
        answer = api_v1.GetBulkStateResponse()
        for key, value, error in found:
            item = answer.items.add(key=key.split("||", 1)[1], error=error)
            if value:
                item.data, item.etag = value
        return answer

    @answering
    async def SaveState(self, request):
        self._count("SaveState")
        keys = [item.key for item in request.states]
        self._check_store(request.store_name, keys)
        if not all(keys):
            raise Refusal(Code.INVALID_ARGUMENT, "state key cannot be empty", "ERR_STATE_SAVE")

        async def write(_):
            # Independent of each other, at the same time: what succeeds stays.
            return await asyncio.gather(
                *(self.store.set(self._prefixed(item.key), item.value, item.etag.value,
                                 item.options.concurrency) for item in request.states),
                return_exceptions=True)

        results = await self.faults.around("state.write", keys, write)
        self._raise_first(
            results, "ERR_STATE_SAVE", f"failed saving state in state store {request.store_name}")
        return empty_pb2.Empty()

    @answering
    async def DeleteState(self, request):
        self._count("DeleteState")
        self._check_store(request.store_name, [request.key])

        async def write(_):
            return await asyncio.gather(
                self.store.delete(self._prefixed(request.key), request.etag.value),
                return_exceptions=True)

        results = await self.faults.around("state.write", [request.key], write)
        self._raise_first(
            results, "ERR_STATE_DELETE", f"failed deleting state with key {request.key}")
        return empty_pb2.Empty()

    @staticmethod
    def _raise_first(results, reason, sentence):
        errors = [result for result in results if isinstance(result, BaseException)]
        for error in errors:
            if isinstance(error, EtagMismatch):
                raise Refusal(Code.ABORTED, f"{sentence}: {error}", reason)
            if isinstance(error, EtagInvalid):
                raise Refusal(Code.INVALID_ARGUMENT, f"{sentence}: {error}", reason)
        for error in errors:
            if not isinstance(error, ComponentError):
                raise error
            raise Refusal(Code.INTERNAL, f"{sentence}: {error}", reason)

    # Messages

    def _check_topic(self, pubsub, topic):
        if not pubsub:
            raise Refusal(
                Code.INVALID_ARGUMENT, "pubsub name is empty", "DAPR_PUBSUB_NAME_EMPTY")
        if pubsub != self.pubsub_name or pubsub in self.faults.missing:
            raise Refusal(
                Code.INVALID_ARGUMENT, f"pubsub {pubsub} is not found", "DAPR_PUBSUB_NOT_FOUND")
        if not topic:
            raise Refusal(
                Code.INVALID_ARGUMENT, f"topic is empty in pubsub {pubsub}",
                "DAPR_PUBSUB_TOPIC_NAME_EMPTY")

    def _wrap(self, data, content_type, metadata, topic, pubsub):
        return wrap(data, content_type, metadata, topic, pubsub, self.app_id)

    @answering
    async def PublishEvent(self, request):
        self._count("PublishEvent")
        pubsub, topic = request.pubsub_name, request.topic
        self._check_topic(pubsub, topic)
        event = self._wrap(
            request.data, request.data_content_type, request.metadata, topic, pubsub)

        async def publish(_):
            await self.broker.publish(pubsub, topic, event)

        try:
            await self.faults.around("publish", [topic], publish)
        except ComponentError as error:
            raise Refusal(
                Code.INTERNAL, f"error when publish to topic {topic} in pubsub {pubsub}: {error}",
                "DAPR_PUBSUB_PUBLISH_MESSAGE") from None
        return empty_pb2.Empty()

    async def _bulk(self, request):
        pubsub, topic = request.pubsub_name, request.topic
        self._check_topic(pubsub, topic)
        ids = [entry.entry_id for entry in request.entries]
        if not all(ids) or len(set(ids)) != len(ids):
            raise Refusal(
                Code.INVALID_ARGUMENT, "entryId is duplicated or not present for entry",
                "DAPR_PUBSUB_MARSHAL_EVENTS")
        entries = []
        for entry in request.entries:
            # The request's metadata counts only for entries that have some of their own.
            metadata = {**request.metadata, **entry.metadata} if entry.metadata else {}
            entries.append((entry.entry_id, self._wrap(
                entry.event, entry.content_type, metadata, topic, pubsub)))

        async def publish(failing):
            return await publish_all(
                self.broker, pubsub, topic, entries, self.faults.random.shuffle, failing)

        failed = await self.faults.around("publish", [topic], publish)
        if failed:
            # The list of those that failed does not come over gRPC.
            raise Refusal(
                Code.INTERNAL, f"error when publish to topic {topic} in pubsub {pubsub}: "
                f"{len(failed)} entries failed", "DAPR_PUBSUB_PUBLISH_MESSAGE")
        return api_v1.BulkPublishResponse()

    @answering
    async def BulkPublishEvent(self, request):
        self._count("BulkPublishEvent")
        if self.faults.bulk_unknown:
            raise Refusal(Code.UNIMPLEMENTED, "unknown method BulkPublishEvent")
        return await self._bulk(request)

    @answering
    async def BulkPublishEventAlpha1(self, request):
        self._count("BulkPublishEventAlpha1")
        if self.faults.bulk_unknown == "all":
            raise Refusal(Code.UNIMPLEMENTED, "unknown method BulkPublishEventAlpha1")
        return await self._bulk(request)

    # Secrets, and what there is

    @answering
    async def GetSecret(self, request):
        self._count("GetSecret")
        if request.store_name not in self.secrets:
            raise Refusal(
                Code.INVALID_ARGUMENT, f"failed finding secret store with key "
                f"{request.store_name}", "SECRET_STORE_NOT_FOUND")
        secret = self.secrets[request.store_name].get(request.key)
        if secret is None:
            raise Refusal(
                Code.INTERNAL, f"failed getting secret with key {request.key} from secret store "
                f"{request.store_name}: secret {request.key} not found", "SECRET_GET_ERROR")
        data = secret if isinstance(secret, dict) else {request.key: secret}
        return api_v1.GetSecretResponse(data=data)

    @answering
    async def GetMetadata(self, request):
        self._count("GetMetadata")
        answer = api_v1.GetMetadataResponse(id=self.app_id, runtime_version=self.VERSION)
        for name, component in ((self.store_name, self.store), (self.pubsub_name, self.broker)):
            if name and name not in self.faults.missing:
                answer.registered_components.add(
                    name=name, type=component.type, version=component.version,
                    capabilities=component.capabilities)
        for name in self.secrets:
            answer.registered_components.add(
                name=name, type="secretstores.local.file", version="v1")
        return answer
