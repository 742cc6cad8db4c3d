"""What tests do to a sidecar while it runs.

A rule is a JSON object:

    {"on": "state.write", "mode": "error", "probability": 1.0, "count": 5, "seconds": 0.2}

| `on` | which calls: `state.read`, `state.write`, `publish`, `state` or `*` |
| `mode` | `error`: INTERNAL, nothing done; `applied-error`: done, then INTERNAL; `lost-request`: nothing
  done and no answer; `lost-reply`: done and no answer; `unavailable`: UNAVAILABLE, nothing done;
  `delay`: done `seconds` later; `partial` (bulk publish only): `fail` entries of a call fail |
| `probability` | of each call; drawn from `seed` |
| `count` | so many calls, then the rule is gone; without it for ever |
| `key`, `topic` | only calls whose keys or topic begin with it |
"""

import asyncio
import random

from .errors import Code, Refusal


class Faults:
    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.rules = []
        # Sidecars before 1.17 lack the stable name: "stable"; others lack both: "all".
        self.bulk_unknown = None
        self.missing = set()

    def replace(self, rules):
        for rule in rules:
            unknown = rule.keys() - {
                "on", "mode", "probability", "count", "seconds", "key", "topic", "fail"}
            if unknown:
                raise ValueError(f"a rule has no {sorted(unknown)}")
        self.rules = [dict(rule) for rule in rules]

    def _pick(self, call, names):
        for rule in self.rules:
            on = rule.get("on", "*")
            if on != "*" and call != on and not call.startswith(on + "."):
                continue
            prefix = rule.get("key") or rule.get("topic")
            if prefix and not any(name.startswith(prefix) for name in names):
                continue
            if self.random.random() >= rule.get("probability", 1.0):
                continue
            if "count" in rule:
                rule["count"] -= 1
                if rule["count"] <= 0:
                    self.rules.remove(rule)
            return rule
        return None

    async def around(self, call, names, body):
        """Makes one call, or what a rule makes of it."""
        rule = self._pick(call, names)
        mode = rule and rule["mode"]
        if mode == "delay":
            await asyncio.sleep(rule["seconds"])
        elif mode == "error":
            raise Refusal(Code.INTERNAL, f"{call}: a fault of the component")
        elif mode == "unavailable":
            raise Refusal(Code.UNAVAILABLE, "the sidecar is restarting")
        elif mode == "lost-request":
            await asyncio.sleep(3600)
        result = await body(rule.get("fail", 1) if mode == "partial" else 0)
        if mode == "applied-error":
            raise Refusal(Code.INTERNAL, f"{call}: the reply of the component was lost")
        if mode == "lost-reply":
            await asyncio.sleep(3600)
        return result
