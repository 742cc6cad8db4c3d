"""A directory that is the truth: edited at random, with kills, it is converged to each time.

WSM_MANIFESTS_FILES and WSM_MANIFESTS_EDITS say how much; the suite takes a small share of what was
run once by hand (1,000 files, 1,000 edits).
"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import time

import pytest

from client import connection, connection_set
from waiting import eventually, stays

FILES = int(os.environ.get("WSM_MANIFESTS_FILES", "40"))
EDITS = int(os.environ.get("WSM_MANIFESTS_EDITS", "30"))
SEED = int(os.environ.get("WSM_MANIFESTS_SEED", "1"))
# Nobody listens there, and each connection is dialled once: this is about records.
URL = "ws://127.0.0.1:9/"


def document(name, topic):
    return connection(name, URL, topic, autoReconnect=False)


def text(*documents):
    return "".join(json.dumps(d) + "\n---\n" for d in documents)


class Tree:
    """A manifest directory, and what it means.

    Most files are plain; those of `config` are laid out as a mounted ConfigMap is. A file holds one
    object or a few.
    """

    def __init__(self, root, chance):
        self.root, self.chance = pathlib.Path(root), chance
        self.plain, self.config = {}, {}
        self.serial = self.generation = 0
        self.root.mkdir()
        (self.root / "config").mkdir()

    @property
    def wanted(self):
        """Name → topic."""
        return {name: topic for files in (self.plain, self.config)
                for objects in files.values() for name, topic in objects.items()}

    def fresh(self):
        self.serial += 1
        objects = {f"c{self.serial}": self.topic()}
        if self.chance.random() < 0.1:
            objects[f"c{self.serial}-b"] = self.topic()
        return objects

    def topic(self):
        return f"t{self.chance.randrange(1_000_000)}"

    def path(self, file):
        return self.root / file

    def body(self, objects):
        return text(*(document(name, topic) for name, topic in objects.items()))

    def any(self):
        return self.chance.choice(sorted(self.plain))

    # Edits, each as another program makes them.

    def create(self):
        objects = self.fresh()
        (name, _), *_ = objects.items()
        folder = self.chance.choice(["", "a/", "a/b/", "z/"])
        file = f"{folder}{name}{self.chance.choice(['.yaml', '.yml'])}"
        self.path(file).parent.mkdir(parents=True, exist_ok=True)
        self.path(file).write_text(self.body(objects))
        self.plain[file] = objects

    def change(self):
        file = self.any()
        name = self.chance.choice(sorted(self.plain[file]))
        self.plain[file][name] = self.topic()
        self.path(file).write_text(self.body(self.plain[file]))

    def replace(self):
        """Written beside and renamed over, as editors and deployment tools do."""
        file = self.any()
        name = self.chance.choice(sorted(self.plain[file]))
        self.plain[file][name] = self.topic()
        beside = self.path(file).with_name(".tmp-" + self.path(file).name)
        beside.write_text(self.body(self.plain[file]))
        beside.rename(self.path(file))

    def delete(self):
        if len(self.plain) > 1:
            file = self.any()
            self.path(file).unlink()
            del self.plain[file]

    def rename(self):
        file = self.any()
        to = f"renamed-{self.serial}-{self.path(file).name}"[-100:]
        self.serial += 1
        self.path(file).rename(self.path(to))
        self.plain[to] = self.plain.pop(file)

    def swap(self):
        """As the kubelet does: a new directory, `..data` turned over, links of keys mended."""
        keys = list(self.config)
        if keys and self.chance.random() < 0.4:
            del self.config[self.chance.choice(keys)]
        else:
            self.config[f"key{self.serial}.yaml"] = self.fresh()
        for key in self.config:
            if self.chance.random() < 0.3:
                self.config[key] = {name: self.topic() for name in self.config[key]}
        self.lay_out()

    def lay_out(self):
        folder = self.root / "config"
        old = folder / "..data"
        old_target = folder / os.readlink(old) if old.is_symlink() else None
        self.generation += 1
        made = folder / f"..2026_{self.generation}"
        made.mkdir()
        for key, objects in self.config.items():
            (made / key).write_text(self.body(objects))
        (folder / "..data_tmp").symlink_to(made.name)
        (folder / "..data_tmp").rename(old)
        links = {p.name for p in folder.iterdir() if p.suffix == ".yaml"}
        for key in self.config.keys() - links:
            (folder / key).symlink_to(f"..data/{key}")
        for key in links - self.config.keys():
            (folder / key).unlink()
        if old_target:
            shutil.rmtree(old_target)


class Run:
    """The edits, the kills and the look at what came of them."""

    def __init__(self, new_server, tmp_path, seed):
        self.chance = random.Random(seed)
        self.tree = Tree(tmp_path / "manifests", self.chance)
        for _ in range(FILES - FILES // 10):
            self.tree.create()
        for _ in range(FILES // 10):
            self.tree.config[f"key{self.tree.serial}.yaml"] = self.tree.fresh()
        self.tree.lay_out()
        self.last = dict(self.tree.wanted)
        self.kills = 0
        self.life = new_server(
            "--manifests", self.tree.root, "--dial-rate", "5000", "--dial-burst", "5000")

    def found(self):
        return {o.name: o.topic for o in self.life.client.objects(set="manifests", brief=True)}

    def converged(self):
        wanted = self.tree.wanted

        def why():
            found = self.found()
            return (f"missing {sorted(wanted.keys() - found.keys())[:5]}, "
                    f"too many {sorted(found.keys() - wanted.keys())[:5]}, "
                    f"other topics {[n for n in wanted if found.get(n) != wanted[n]][:5]}\n"
                    + self.life.process.log[-1500:])

        # A list of a thousand objects is work for both sides.
        eventually(lambda: self.found() == wanted, 60, why, 0.05 if FILES < 200 else 0.25)
        self.last = dict(wanted)

    def told(self):
        """What the server said last about its manifests."""
        lines = re.findall(r".*manifests (?:applied|refused).*", self.life.process.log)
        return lines[-1] if lines else ""

    def refused(self, reason):
        """It is reported, and changes nothing."""
        eventually(lambda: re.search(f'reason="?{reason}', self.told()), 30,
                   lambda: f"{reason}, but {self.told()}", 0.05)
        assert self.found() == self.last, "a refused state changed something"

    def recovered(self):
        eventually(lambda: "manifests applied" in self.told(), 30, self.told, 0.05)

    # Edits that are wrong for a while.

    def half_written(self):
        file = self.tree.any()
        objects = {name: self.tree.topic() for name in self.tree.plain[file]}
        body = self.tree.body(objects)
        # Not at an end of a line: what is cut there says all it seems to say.
        cut = self.chance.randrange(1, body.index("\n"))
        with open(self.tree.path(file), "w") as stream:
            stream.write(body[:cut])
            stream.flush()
            if self.chance.random() < 0.5:
                stays(lambda: self.found() == self.last, 0.6, "half a file was taken")
            stream.write(body[cut:])
        self.tree.plain[file] = objects

    def spoilt(self, spoil, reason):
        path = self.tree.path(self.tree.any())
        whole = path.read_text()
        path.write_text(spoil(whole))
        self.refused(reason)
        path.write_text(whole)
        self.recovered()

    def truncated(self):
        self.spoilt(lambda whole: "", "HalfWritten")

    def broken(self):
        self.spoilt(lambda whole: whole.replace('"url"', '"ulr"'), "Invalid")

    def emptied(self):
        aside = self.tree.root.with_name("aside")
        self.tree.root.rename(aside)
        self.tree.root.mkdir()
        self.refused("Empty")
        self.tree.root.rmdir()
        aside.rename(self.tree.root)
        self.recovered()

    def gone(self):
        aside = self.tree.root.with_name("aside")
        self.tree.root.rename(aside)
        self.refused("Unreadable")
        aside.rename(self.tree.root)
        self.recovered()

    def edit(self):
        tree = self.tree
        kind = self.chance.choices(
            [tree.create, tree.change, tree.replace, tree.delete, tree.rename, tree.swap,
             self.half_written, self.truncated, self.broken, self.emptied, self.gone],
            [20, 25, 15, 16, 8, 8, 4, 1, 1, 1, 1])[0]
        kind()

    def step(self):
        dice = self.chance.random()
        if dice < 0.05:
            # Killed in the midst of what the edit leads to.
            self.edit()
            time.sleep(self.chance.random() * 0.8)
            self.life.restart()
            self.kills += 1
        elif dice < 0.07:
            self.life.kill()
            # What is wrong only for a while asks the server, which is not there.
            self.chance.choice([self.tree.create, self.tree.change, self.tree.delete])()
            self.life.start()
            self.kills += 1
        else:
            self.edit()
            if self.chance.random() < 0.1:
                os.kill(self.life.process.pid, signal.SIGHUP)
        self.converged()


@pytest.mark.timeout(120 + 10 * EDITS)
def test_a_directory_edited_at_random_is_converged_to_each_time(new_server, tmp_path):
    start = time.monotonic()
    run = Run(new_server, tmp_path, SEED)
    run.converged()
    for count in range(EDITS):
        run.step()
        if count % 50 == 49:
            print(f"{count + 1} edits, {run.kills} kills, {len(run.tree.wanted)} objects, "
                  f"{time.monotonic() - start:.0f} s", flush=True)
    life = run.life
    assert life.process.terminate()[0] == 0
    # A last start finds all of it in force and changes nothing.
    life.start()
    line = life.process.wait_for(r".*manifests applied.*").group(0)
    for word in ("created", "configured", "pruned"):
        assert re.search(f'{word}="?0', line), line
    run.converged()


def test_what_is_refused_and_applied_is_told_as_events(new_server, tmp_path):
    root = tmp_path / "m"
    root.mkdir()
    (root / "a.yaml").write_text(text(document("a", "t1"), document("b", "t1")))
    life = new_server("--manifests", root, "--manifests-set", "git")
    events = life.client.events(replay=True)
    prefix = "com.virtufin.websocketmanager.manifests."
    applied = events.wait_for(lambda e: e["type"] == prefix + "applied")
    assert applied["subject"] == "manifests/git"
    assert applied["data"]["created"] == 2 and applied["data"]["problems"] == []
    assert {o.set for o in life.client.objects()} == {"git"}
    (root / "b.yaml").write_text("kind: Connection\n")
    refusal = events.wait_for(lambda e: e["type"] == prefix + "refused")
    assert refusal["data"]["reason"] == "Invalid"
    assert f"{root}/b.yaml:1:" in refusal["data"]["problems"][0]
    assert len(life.client.objects()) == 2
    # An object of somebody else's is in the way; the rest is applied.
    life.client.apply(document("c", "theirs"), set="theirs")
    (root / "b.yaml").write_text(text(document("c", "ours"), document("d", "t2")))
    mixed = events.wait_for(
        lambda e: e["type"] == prefix + "applied" and e["data"]["conflicts"] == 1)
    assert mixed["data"]["created"] == 1
    assert "it belongs to set theirs" in mixed["data"]["problems"][0]
    assert life.client.get("c").topic == "theirs"
    # What others do to the set is put right.
    life.client.delete("a")
    life.client.wait_object("d", lambda o: o.topic == "t2")
    eventually(lambda: "a" in {o.name for o in life.client.objects()}, 20, "a to be back")


def test_sets_of_connections_and_a_hangup(new_server, tmp_path):
    root = tmp_path / "m"
    root.mkdir()
    template = {"url": URL + "{{row}}", "topic": "t", "autoReconnect": False}

    def write(*rows):
        body = connection_set("fleet", "fleet-{{row}}", template, matrix={"row": list(rows)})
        (root / "fleet.json").write_text(json.dumps(body))

    write("x", "y")
    life = new_server("--manifests", root)
    names = lambda: {o.name for o in life.client.objects()}
    eventually(lambda: names() == {"fleet-x", "fleet-y"}, 20, lambda: str(names()))
    write("y", "z")
    os.kill(life.process.pid, signal.SIGHUP)
    eventually(lambda: names() == {"fleet-y", "fleet-z"}, 20, lambda: str(names()))
    assert life.process.is_alive, "SIGHUP does not end it"
