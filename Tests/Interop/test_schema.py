"""The JSON Schema against an independent validator: what the compiler accepts is valid, and every rejected
document is refused or stands below with the reason why a schema cannot tell its fault."""

import json
import pathlib
import re
import subprocess

import jsonschema
import pytest
import yaml

import core_yaml
from processes import binary

PROJECT = pathlib.Path(__file__).parents[2]
FIXTURES = PROJECT / "Tests" / "Fixtures"
END = 10**9

# Why a schema cannot tell -> fixture -> the documents it lets pass, counted from 0.
SILENT = {
    "unreadable: the parser never gets to a document": {
        "alias-bomb.yaml": None, "alias-recursive.yaml": None, "alias-undefined.yaml": None,
        "encoding-control.yaml": None, "encoding-utf16.yaml": None, "encoding-utf8.yaml": None,
        "key-not-string.yaml": None, "syntax-bad-indent.yaml": None, "syntax-json.json": None,
        "syntax-second-document.yaml": None, "syntax-tab-indent.yaml": None,
        "syntax-template-braces.yaml": None, "syntax-unclosed-flow.yaml": None,
        "syntax-unclosed-quote.yaml": None, "tag-mismatch.yaml": None,
    },
    "lost on the way: JSON has no duplicate keys, tags, and keys that are no strings": {
        "key-duplicate.json": [0], "key-duplicate.yaml": [0], "key-number.yaml": [0],
        "tag-binary.yaml": [0], "tag-unknown.yaml": [0],
    },
    "a number is a number: 010, 0x1f, 1e3, 1.0, +5 and .inf are values, not spellings": {
        "type-int.yaml": [0, 1, 2, 4, 6], "match.yaml": [16],
    },
    "another document of the file has the name": {
        "duplicate-member.yaml": [1, 2], "duplicate-names.yaml": [2],
    },
    "two fields are compared": {
        "relation-batch.yaml": [0], "relation-buffer-default.yaml": [0], "relation-buffer.yaml": [0],
        "relation-reconnect.yaml": [0], "relation-timeouts.yaml": [0], "set-relation.yaml": [0],
    },
    "a set's members are known only once the template is filled in": {
        "set-equal-names-matrix.yaml": [0], "set-equal-names.yaml": [0],
        "set-matrix-size.yaml": [0], "set-member-errors.yaml": [0], "set-member-name.yaml": [0],
        "set-missing-variable.yaml": [0], "set-unknown-variable.yaml": [0],
    },
    "the range of a duration or size written with units": {
        "duration.yaml": [8, 9, 10, 16], "size.yaml": [9, 10, 11],
    },
    "the syntax of a regular expression": {"match.yaml": [3, 4, 5, 6, 7, 20]},
    "Python's $ also stands before a last line feed; that of ECMA-262 does not": {
        "url.yaml": [24],
    },
}


@pytest.fixture(scope="module")
def schema():
    return json.loads((PROJECT / "docs" / "schema" / "v1.json").read_text())


@pytest.fixture(scope="module")
def validator(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def documents(path):
    """First line and value of each document; None where the file cannot be read."""
    data = path.read_bytes()
    try:
        if path.suffix == ".json":
            return [(1, json.loads(data))]
        return [(node.start_mark.line + 1, core_yaml.value(node)) for node in core_yaml.nodes(data)]
    except (yaml.YAMLError, core_yaml.TooLarge, RecursionError, TypeError, ValueError):
        return None


def manifests(folder):
    return sorted(path for path in folder.rglob("*")
                  if path.suffix in (".yaml", ".json") and ".resolved" not in path.name)


def faults(path):
    """The lines of the compiler's errors."""
    text = (path.parent / (path.name + ".expected")).read_text()
    return [int(re.match(r"[^:]+:(\d+):", line)[1]) for line in text.splitlines()
            if not re.match(r"\S+ warning: ", line)]


def label(path):
    return str(path.relative_to(PROJECT))


@pytest.mark.parametrize("kind", [None, "Connection", "ConnectionSet"])
def test_the_command_prints_valid_schemas(kind, schema):
    command = [binary("wsm-apply"), "schema"] + ([kind] if kind else [])
    printed = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    jsonschema.Draft202012Validator.check_schema(printed)
    if kind is None:
        assert printed == schema
        return
    only = jsonschema.Draft202012Validator(printed)
    for path in manifests(FIXTURES / "valid"):
        for line, document in documents(path):
            is_meant = document["kind"] == kind
            assert only.is_valid(document) == is_meant, f"{path.name}:{line}"


@pytest.mark.parametrize(
    "path", manifests(PROJECT / "examples") + manifests(FIXTURES / "valid"), ids=label)
def test_what_the_compiler_accepts_is_valid(path, validator):
    found = documents(path)
    assert found
    for line, document in found:
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
        assert not errors, f"{path.name}:{line}"


def passed(path, validator):
    """The rejected documents that the schema lets pass, and whether it refuses any; None: unreadable."""
    found = documents(path)
    if found is None:
        return None, False
    starts = [line for line, _ in found] + [END]
    silent, refuses = [], False
    for index, (_, document) in enumerate(found):
        first = 0 if index == 0 else starts[index]
        is_faulty = any(first <= line < starts[index + 1] for line in faults(path))
        is_valid = validator.is_valid(document)
        assert is_faulty or is_valid, f"{path.name}: document {index} is refused without a fault"
        refuses |= not is_valid
        if is_faulty and is_valid:
            silent.append(index)
    return silent, refuses


def test_rejected_documents_are_refused_or_accounted_for(validator):
    listed = {}
    for fixtures in SILENT.values():
        for name, indices in fixtures.items():
            listed[name] = None if indices is None else sorted(listed.get(name, []) + indices)
    refused = 0
    fixtures = manifests(FIXTURES / "broken")
    for path in fixtures:
        silent, refuses = passed(path, validator)
        refused += refuses
        assert silent == listed.pop(path.name, []), path.name
    assert not listed, "the table names fixtures that are not there"
    assert refused * 2 >= len(fixtures), f"only {refused} of {len(fixtures)}"


@pytest.mark.parametrize("edit, path, message", [
    ({"topik": "a"}, "$.spec", "'topik' was unexpected"),
    ({"keepalive": {"pingInterval": "5 s"}}, "$.spec.keepalive.pingInterval", "does not match"),
    ({"buffer": {"messages": 0}}, "$.spec.buffer.messages", "less than the minimum of 1"),
    ({"buffer": {"overflow": "never"}}, "$.spec.buffer.overflow", "is not one of ['block'"),
    ({"headers": {"Host": "a"}}, "$.spec.headers", "does not match"),
    ({"headers": {"A": {"valueFrom": {"env": "A", "file": "b"}}}}, "$.spec.headers.A.valueFrom",
     "is valid under each of"),
    ({"tls": {"cert": "-----BEGIN CERTIFICATE-----"}}, "$.spec.tls", "'key' is a dependency of 'cert'"),
    ({"correlation": {"match": {"text": "a"}}}, "$.spec.correlation", "'mode' is a required property"),
])
def test_one_fault_is_one_error_at_its_place(edit, path, message, validator):
    document = {
        "apiVersion": "wsm.virtufin.com/v1", "kind": "Connection", "metadata": {"name": "a"},
        "spec": {"url": "wss://a.example/"} | edit}
    errors = list(validator.iter_errors(document))
    assert [error.json_path for error in errors] == [path]
    assert message in errors[0].message
    template = {
        "apiVersion": "wsm.virtufin.com/v1", "kind": "ConnectionSet", "metadata": {"name": "a"},
        "spec": {"list": [{"s": 1}], "name": "a-{{s}}", "template": {"spec": document["spec"]}}}
    errors = list(validator.iter_errors(template))
    assert [error.json_path for error in errors] == [path.replace("$.spec", "$.spec.template.spec")]


def test_every_field_is_described(schema):
    def fields(node):
        for name, field in node.get("properties", {}).items():
            if "properties" in field and "title" in field and "examples" not in field:
                assert field["description"], name
                yield from fields(field)
            elif "title" in field:
                yield field
    found = list(fields(schema["$defs"]["ConnectionSpec"]))
    assert len(found) >= 35
    for field in found:
        assert field["description"] and field["examples"], field["title"]
        sub = {"$ref": f"#/$defs/ConnectionSpec/properties/{field['title'].replace('.', '/properties/')}",
               "$defs": schema["$defs"]}
        for example in field["examples"] + ([field["default"]] if "default" in field else []):
            assert jsonschema.Draft202012Validator(sub).is_valid(example), field["title"]


@pytest.mark.parametrize("path", manifests(PROJECT / "examples"), ids=label)
def test_examples_lead_editors_to_the_schema(path):
    first = path.read_text().splitlines()[0]
    target = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert target and (path.parent / target[1]).resolve() == PROJECT / "docs" / "schema" / "v1.json"
