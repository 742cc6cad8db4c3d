"""libyaml, through PyYAML, sees the same tree as our reader in every valid manifest.

Tests/Fixtures/trees.jsonl is what our reader made of each source; a unit test keeps it so. Scalars are
[type, text] by the core schema, sequences ["seq", items], mappings ["map", [[key, value], …]].
"""

import json
import pathlib

import pytest
import yaml

import core_yaml

PROJECT = pathlib.Path(__file__).parents[2]
TREES = {
    record["source"]: record["documents"]
    for record in map(json.loads, (PROJECT / "Tests/Fixtures/trees.jsonl").read_text().splitlines())
}
SOURCES = sorted(
    str(path.relative_to(PROJECT))
    for folder in ("examples", "Tests/Fixtures/valid") for path in (PROJECT / folder).rglob("*.yaml")
    if not path.name.endswith(".resolved.yaml"))


def tree(node):
    if isinstance(node, yaml.SequenceNode):
        return ["seq", [tree(item) for item in node.value]]
    if isinstance(node, yaml.MappingNode):
        return ["map", [[tree(key), tree(item)] for key, item in node.value]]
    return [node.tag.removeprefix("tag:yaml.org,2002:"), node.value]


def test_it_is_libyaml():
    assert yaml.__with_libyaml__
    assert issubclass(core_yaml.CoreLoader, yaml.cyaml.CParser)
    assert yaml.cyaml.CParser.__module__ == "yaml._yaml"


def test_no_manifest_is_left_out():
    assert SOURCES == sorted(source for source in TREES if source.endswith(".yaml"))


@pytest.mark.parametrize("source", SOURCES)
def test_libyaml_sees_the_same_tree(source):
    nodes = core_yaml.nodes((PROJECT / source).read_bytes())
    assert [tree(node) for node in nodes] == TREES[source]


@pytest.mark.parametrize("source", [source for source in TREES if source.endswith(".json")])
def test_a_json_reader_sees_the_same_tree(source):
    """libyaml knows no surrogate pairs, so JSON is read by Python's own reader."""
    def of(value):
        match value:
            case dict():
                return ["map", [[["str", key], of(item)] for key, item in value.items()]]
            case list():
                return ["seq", [of(item) for item in value]]
            case bool():
                return ["bool", "true" if value else "false"]
            case int():
                return ["int", str(value)]
            case None:
                return ["null", "null"]
            case str():
                return ["str", value]
        raise AssertionError(value)

    assert [of(json.loads((PROJECT / source).read_bytes()))] == TREES[source]
