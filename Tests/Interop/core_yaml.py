"""YAML read by libyaml (through PyYAML) with the types of the core schema of YAML 1.2.2, section 10.3.2.

PyYAML's own rules are those of YAML 1.1, for which `yes` is a bool and `1_000` a number.
"""

import re

import yaml

STR, NULL, BOOL, INT, FLOAT = (
    "tag:yaml.org,2002:" + word for word in ("str", "null", "bool", "int", "float"))


class CoreLoader(yaml.cyaml.CParser, yaml.resolver.BaseResolver):
    """Composes nodes; constructs nothing."""

    def __init__(self, stream):
        yaml.cyaml.CParser.__init__(self, stream)
        yaml.resolver.BaseResolver.__init__(self)


_NUMBER = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
for _tag, _pattern in (
    (NULL, r"~|null|Null|NULL|"),
    (BOOL, r"true|True|TRUE|false|False|FALSE"),
    (INT, r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    (FLOAT, _NUMBER + r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
):
    CoreLoader.add_implicit_resolver(_tag, re.compile(rf"^({_pattern})\Z"), None)


def nodes(data):
    """The documents of a source, without the empty ones."""
    loader = CoreLoader(data)
    found = []
    while loader.check_node():
        node = loader.get_node()
        _make_strings(node, data.decode("utf-8-sig").splitlines(), set())
        is_empty = isinstance(node, yaml.ScalarNode) and node.tag == NULL and node.value == ""
        if not is_empty:
            found.append(node)
    return found


def _make_strings(node, lines, seen):
    """libyaml drops the tag `!`, which makes a plain scalar a string (YAML 1.2.2, section 6.9.1)."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        mark = node.start_mark
        if mark.line < len(lines) and lines[mark.line][mark.column:].startswith("! "):
            node.tag = STR
        return
    for item in node.value:
        for child in item if isinstance(item, tuple) else (item,):
            _make_strings(child, lines, seen)


class TooLarge(Exception):
    """The aliases of a document stand for more than anybody would write."""


def value(node):
    """A node as JSON has it; keys are the texts they were written as."""
    budget = [100_000]

    def read(node):
        budget[0] -= 1
        if budget[0] < 0:
            raise TooLarge
        if isinstance(node, yaml.SequenceNode):
            return [read(item) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            return {key.value: read(item) for key, item in node.value}
        return _scalar(node.tag, node.value)

    return read(node)


def _scalar(tag, text):
    if tag == NULL:
        return None
    if tag == BOOL:
        return text.lower() == "true"
    if tag == INT:
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if tag == FLOAT:
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    return text
