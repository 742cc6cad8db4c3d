"""The CloudEvent that daprd makes of what is published."""

import base64
import datetime
import json
import uuid

from .errors import Code, Refusal


def _dump(event):
    # Go escapes these three; keys come out sorted.
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for character, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, escape)
    return text.encode()


def _now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _content(data, content_type):
    kind = content_type.split(";")[0].strip().lower()
    if kind == "application/json":
        try:
            return {"data": json.loads(data)}
        except ValueError:
            return {"data": data.decode(errors="replace")}
    if kind in ("application/octet-stream", "application/cloudevents+protobuf"):
        return {"data_base64": base64.b64encode(data).decode()}
    return {"data": data.decode(errors="replace")}


def wrap(data, content_type, metadata, topic, pubsub, app_id):
    """The bytes that the broker gets."""
    raw = metadata.get("rawPayload", "false")
    if raw not in ("true", "false", "1", "0"):
        raise Refusal(
            Code.INVALID_ARGUMENT, f"failed to parse rawPayload {raw}",
            "DAPR_PUBSUB_METADATA_DESERIALIZATION")
    if raw in ("true", "1"):
        return data
    if content_type.split(";")[0].strip().lower() == "application/cloudevents+json":
        try:
            event = json.loads(data)
            if not isinstance(event, dict):
                raise ValueError("not an object")
        except ValueError as error:
            raise Refusal(
                Code.INVALID_ARGUMENT, f"cannot create cloudevent: {error}",
                "DAPR_PUBSUB_CLOUD_EVENT_CREATION") from None
        event.setdefault("source", app_id)
        event.setdefault("type", "com.dapr.event.sent")
        event.setdefault("specversion", "1.0")
        event.setdefault("time", _now())
    else:
        event = {
            "id": metadata.get("cloudevent.id") or str(uuid.uuid4()),
            "source": metadata.get("cloudevent.source") or app_id,
            "type": metadata.get("cloudevent.type") or "com.dapr.event.sent",
            "specversion": "1.0", "time": _now(),
            "datacontenttype": content_type or "text/plain",
        } | _content(data, content_type or "text/plain")
        if "cloudevent.subject" in metadata:
            event["subject"] = metadata["cloudevent.subject"]
    event |= {"topic": topic, "pubsubname": pubsub, "traceid": "", "traceparent": "",
              "tracestate": ""}
    return _dump(event)
