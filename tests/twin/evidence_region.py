"""Fabricates a bundle of evidence: a region of five nodes with keys from fixed seeds.

One table per organisation that a node refuses; one of a score, asked of one node again; one
regional table whose first round failed after masked inputs, with one node dropped in the second.
Entries can be changed before they are signed: what a dishonest log can do.
"""

import base64
import copy
import hashlib
import pathlib
import struct
import sys
import tarfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import secagg  # noqa: E402
from evidence import tables, tree  # noqa: E402
from evidence.canon import encode, sha  # noqa: E402
from evidence.note import key_id  # noqa: E402
from evidence.question import Quorum, Request, Requests, codebook  # noqa: E402

REGION = "ita"
NODES = ["alpha", "beta", "delta", "epsilon", "gamma"]
# What the operators of some nodes state of their registers.
COVERAGE = {"epsilon": "pilot", "gamma": "some"}
START = 1_770_000_000
DAY = 86_400


class Key:
    """An Ed25519 key from a fixed seed."""

    def __init__(self, name):
        self.seed = hashlib.sha256(b"self-test " + name.encode()).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self._key.public_key().public_bytes_raw()
        self.hex = self.public.hex()

    def raw(self, message):
        return self._key.sign(message)

    def sign(self, label, message):
        return self.raw(f"koonti/v1/{label}".encode() + b"\0" + message).hex()


class Log:
    def __init__(self, name, origin, key):
        self.name, self.origin, self.key = name, origin, key
        self.entries, self.leaves, self._peaks = [], [], []

    def add(self, raw):
        self.entries.append(raw)
        self.leaves.append(tree.leaf(raw))
        height, one = 0, self.leaves[-1]
        while self._peaks and self._peaks[-1][0] == height:
            one, height = tree.node(self._peaks.pop()[1], one), height + 1
        self._peaks.append((height, one))

    def root(self):
        """By the definition of RFC 6962, from the peaks kept."""
        found = tree.EMPTY
        for at, (_, peak) in enumerate(reversed(self._peaks)):
            found = tree.node(peak, found) if at else peak
        return found.hex()

    def head(self):
        return {"root": self.root(), "size": len(self.leaves)}


def is_approving(raw):
    """Whether an entry is one of those that the next approval follows."""
    return any(f'"type":"{name}"'.encode() in raw for name in ("genesis", "approvers", "policy-approved"))


def chained(entries):
    """What an approval behind these names."""
    after = "00" * 32
    for raw in entries:
        after = sha(bytes.fromhex(after + sha(raw)))
    return after


def packed(cells):
    return b"".join(struct.pack(">Bq", *cell) for cell in cells)


def flip(data, where):
    data = bytearray(data)
    data[where] ^= 1
    return bytes(data)


def digest(text):
    return sha(text.encode())


def policy(**changes):
    allowance = {"atto_delta_per_period": 10**13, "gate_atto_delta": 10**11, "nano_rho_per_period": 2 * 10**9}
    value = {
        "allowance": allowance | changes.get("allowance", {}),
        "approval": "each",
        "k": 5,
        "regional": {"chance_below_k": [1, 100], "nodes_per_person": 2},
        "tables": {
            "dimensions": ["age_group", "area", "need", "sex"],
            "measures": ["clients", "events", "score"],
            "most_cells": 20_000,
            "most_per_client": 10,
            "purposes": ["structural-social-work", "knowledge-management"],
        },
    }
    return value | {name: x for name, x in changes.items() if name != "allowance"}


def request(**changes):
    value = {
        "by": ["sex"],
        "codebook": codebook()[0],
        "measure": "clients",
        "periods": ["2026Q1"],
        "purpose": "structural-social-work",
        "region": REGION,
        "register": "adults",
        "release": "per_node",
        "v": 1,
        "variance": [16, 1],
    }
    return value | changes


NEEDS = codebook()[1]["need"][1][:2]
BY_SEX = request()
BY_SCORE = request(
    by=["need"], max_per_client=1, measure="score", score="D07", periods=["2026Q1", "2026Q2"], where={"need": NEEDS}
)
REGIONAL = request(by=["need", "sex"], max_per_client=2, release="regional", where={"need": NEEDS})


def stated(table, value):
    """A table with what its nodes state."""
    counted = [name for name in table["nodes_counted"] if name in COVERAGE]
    return tables.with_coverage(table, {n: [(p, COVERAGE[n]) for p in value["periods"]] for n in counted})


class Region:
    """Builds one bundle. `tweak(log, entry)` may change, drop or multiply entries."""

    def __init__(self, tweak=None, policy_changes=None, **options):
        self.tweak, self.options = tweak, options
        self.now, self.blobs, self.rounds = START, {}, {}
        self.policy = encode(policy(**(policy_changes or {})))
        self.governance, self.keys = Key("governance"), {}
        for name in [*NODES, "coordinator"]:
            for use in ("identity", "log", "witness"):
                self.keys[name, use] = Key(f"{name} {use}")
        self.people = {name: Key(name) for name in ("aino", "ville", "first", "second", "third")}
        self.logs = {"coordinator": Log("coordinator", f"koonti/{REGION}/coordinator", self.keys["coordinator", "log"])}
        for name in NODES:
            self.logs[name] = Log(name, f"koonti/{REGION}/node/{name}", self.keys[name, "log"])
        self.combined, self.seeds = {}, dict.fromkeys(NODES, 0)

    # --- logs -----------------------------------------------------------------

    def append(self, log_name, entry_type, /, **fields):
        """The index of the entry."""
        self.now += 1
        entry, log = {"type": entry_type, "time": self.now} | fields, self.logs[log_name]
        found = [entry]
        if self.tweak:
            found = self.tweak(log_name, copy.deepcopy(entry))
            found = found if isinstance(found, list) else [found]
        index = len(log.entries)
        for one in found:
            if one is not None:
                log.add(one if isinstance(one, bytes) else encode(one))
        return index

    def blob(self, data):
        self.blobs[sha(data)] = data
        return sha(data)

    def roster(self, epoch, names=NODES):
        nodes = [
            {"areas": ["046"], "name": name} | {use: self.keys[name, use].hex for use in ("identity", "log", "witness")}
            for name in names
        ]
        persons = [{"identity": self.people["aino"].hex, "name": "aino", "roles": ["requester"]}]
        if epoch > 1:
            persons.append({"identity": self.people["ville"].hex, "name": "ville", "roles": ["auditor"]})
        value = {
            "coordinator": {use: self.keys["coordinator", use].hex for use in ("log", "witness")},
            "epoch": epoch,
            "floor": {"c": 0, "eta": [1, 100], "j": 2, "k": 5},
            "nodes": nodes,
            "persons": persons,
            "region": REGION,
            "v": 1,
        } | self.options.get("roster", {})
        data, signer = encode(value), self.options.get("governance", self.governance)
        self.roster_hash = self.blob(data)
        return {"epoch": epoch, "roster": self.roster_hash, "signature": signer.sign("roster", data)}

    def heads(self):
        found = {name: [len(self.logs[name].leaves), self.logs[name].root()] for name in NODES}
        if self.options.get("heads"):
            found = self.options["heads"](found)
        self.known = {name: found[name][0] if name in found else 0 for name in NODES}
        return self.blob(encode(found))

    def approvals(self, label, message, people):
        found = [{"key": self.people[p].hex, "signature": self.people[p].sign(label, message)} for p in people]
        return sorted(found, key=lambda one: one["key"])

    def begin(self):
        common = {"governance": self.governance.hex, "region": REGION, "software": "0.1.0", "v": 1}
        own = {use: self.keys["coordinator", use].hex for use in ("log", "witness")}
        self.append("coordinator", "genesis", **common, **own)
        for name in NODES:
            keys = {use: self.keys[name, use].hex for use in ("identity", "log", "witness")}
            self.append(
                "coordinator",
                "enrolled",
                areas=["046"],
                kind="node",
                name=name,
                roles=[],
                secret_sha256=digest(name),
                spki=digest("tls " + name),
                **keys,
            )
            self.append(name, "genesis", node=name, **common, **keys)
        self.append(
            "coordinator",
            "enrolled",
            areas=[],
            identity=self.people["aino"].hex,
            kind="person",
            name="aino",
            roles=["requester"],
            secret_sha256=digest("aino"),
            spki=digest("tls"),
        )
        node = {"kind": "node", "name": NODES[0]}
        for by, to in (("tls " + NODES[0], "tls 2"), ("tls 2", "tls 3")):
            self.append("coordinator", "renewed", by=digest(by), spki=digest(to), **node)
        aino = {"kind": "person", "name": "aino"}
        self.append("coordinator", "revoked", **aino)
        self.append(
            "coordinator",
            "enrolled",
            areas=[],
            identity=self.people["aino"].hex,
            roles=["requester"],
            secret_sha256=digest("aino again"),
            spki=digest("tls again"),
            **aino,
        )
        for epoch in (1, 2):
            named = self.roster(epoch)
            self.append("coordinator", "roster", **named)
            for name in NODES:
                self.append(name, "roster-approved", **named)
        for name in NODES:
            self.node_begins(name)

    def approvers(self, name, people, by=()):
        keys = sorted(self.people[p].hex for p in people)
        self.approve(name, "approvers", "approvers", "".join(keys), by, keys=keys)

    def approve_policy(self, name, people=("first", "second")):
        people, named = self.options.get("people", people), self.blob(self.policy)
        self.approve(name, "policy-approved", "policy", named, people, policy=named)

    def approve(self, name, entry_type, label, what, people, **fields):
        """Behind what the log has approved; at epsilon and, at first, at delta as earlier versions did it."""
        before = [one for one in self.logs[name].entries if is_approving(one)]
        if name == "epsilon" or (name == "delta" and len(before) < 3):
            approvals = self.approvals(label, bytes.fromhex(what), people)
            self.append(name, entry_type, approvals=approvals, **fields)
            return
        after = chained(before)
        approvals = self.approvals(label + "-after", bytes.fromhex(after + what), people)
        self.append(name, entry_type, after=after, approvals=approvals, **fields)

    def node_begins(self, name):
        self.approvers(name, ["first", "second"])
        self.approve_policy(name)
        self.append(
            name,
            "imported",
            commitments=[digest(name + q) for q in "12"],
            periods=["2026Q1", "2026Q2"],
            register="adults",
            source="adult-social-work",
            vintage=digest("vintage " + name),
            **({"coverage": COVERAGE[name]} if name in COVERAGE else {}),
        )
        for first in (0, 4):
            commitments = [digest(f"{name} seed {first + i}") for i in range(4)]
            self.append(name, "seeds", commitments=commitments, first=first)

    # --- questions ------------------------------------------------------------

    def signed_request(self, value):
        message = {
            "id": sha(encode(value)),
            "intent": "ask",
            "region": REGION,
            "not_after": self.options.get("not_after", START + DAY),
            "requester": "aino",
        }
        signature = self.people["aino"].sign("request", encode(message))
        return {x: message[x] for x in ("intent", "not_after", "requester")} | {
            "request": value,
            "signature": signature,
        }

    def ask(self, value, nodes, again=""):
        """The coordinator asks; what a node's `question` takes from it."""
        asked = self.signed_request(value)
        named = {
            "deadline": START + DAY,
            "heads": self.heads(),
            "nodes": list(nodes),
            "request": asked,
            "nonce": digest(f"nonce {sha(encode(value))}{again}"),
            "round": digest(f"round {sha(encode(value))}{again}"),
        }
        if again:
            index = self.append("coordinator", "reopened", id=sha(encode(value)), **named)
        else:
            index = self.append("coordinator", "asked", phase_timeout_s=60, **named)
        kept = {x: named[x] for x in ("deadline", "nonce", "request", "round")}
        return kept | {"asked": {"index": index}, "known": self.known}

    def question(self, name, asked):
        log = self.logs["coordinator"]
        place = {"asked": asked["asked"] | log.head(), "known": asked["known"][name]}
        self.append(name, "question", **(asked | place))

    def debit(self, name, asked, **more):
        self.seeds[name] += 1
        value = asked["request"]["request"]
        r = Request(value)
        fields = {
            "attempt": 0,
            "cost": r.cost(10**11),
            "k": 5,
            "node": name,
            "nonce": asked["nonce"],
            "periods": value["periods"],
            "policy": sha(self.policy),
            "request": value,
            "requester": "aino",
            "round": asked["round"],
            "seed": self.seeds[name] - 1,
            "source": "adult-social-work",
            "vintages": [digest("vintage " + name)] * len(value["periods"]),
        } | more
        if not r.regional:
            fields["tau"] = r.tau(5, 10**11)
        fields |= self.options.get("debit", {})
        return self.append(name, "debit", **fields), fields

    def answer(self, name, asked, told=True):
        """Question to release, at a node and, if it is told, at the coordinator."""
        value = asked["request"]["request"]
        r, id_ = Request(value), sha(encode(value))
        self.question(name, asked)
        self.append(name, "approved", by="person", request=id_)
        index, debit = self.debit(name, asked)
        names = ("attempt", "cost", "k", "node", "policy", "request", "round", "tau", "vintages")
        header = encode({x: debit[x] for x in names} | {"v": 1} | self.options.get("header", {}))
        cells = []
        for p in range(len(r.periods)):
            counts = [20 + 9 * NODES.index(name) * (c + 1) + p for c in range(r.cells)]
            for v in range(len(r.vectors)):
                for c, y in enumerate(counts):
                    shown = y >= debit["tau"]
                    cells.append([int(shown), (y if v == 0 else 3 * y - 40 * c) if shown else 0])
        change = self.options.get("cells")
        head = struct.pack(">I", len(header)) + header
        sound = data = head + packed(cells)
        if change:
            data = head + packed(change(name, r, cells))
        # Of a release that does not parse, the sound one is combined.
        self.combined.setdefault(id_, []).append(sound if self.options.get("unparsed") else data)
        data = self.options.get("release", lambda name, data: data)(name, data)
        named = self.blob(data)
        signature = self.keys[name, "identity"].sign("release", data)
        at = self.append(name, "release", debit=index, release=named, request=id_)
        if told:
            self.append(
                "coordinator",
                "released",
                head=self.logs[name].head(),
                id=id_,
                index=at,
                node=name,
                release=named,
                signature=signature,
            )

    def close(self, value, missing):
        requests = Requests()
        found = [tables.Release(data, requests) for data in self.combined[sha(encode(value))]]
        table = tables.combine(Request(value), found, missing)
        table = stated(table, value)
        table = self.options.get("table", lambda table: table)(table)
        self.append("coordinator", "closed", id=sha(encode(value)), published=self.blob(encode(table)))

    def table_by_sex(self):
        asked = self.ask(BY_SEX, NODES)
        for name in NODES[:-1]:
            self.answer(name, asked)
        self.question("gamma", asked)
        self.append("gamma", "refused", reason="DECLINED_BY_PERSON", request=sha(encode(BY_SEX)))
        self.append("coordinator", "refused", id=sha(encode(BY_SEX)), node="gamma", reason="DECLINED_BY_PERSON")
        self.close(BY_SEX, {"gamma": "DECLINED_BY_PERSON"})

    def table_by_score(self):
        asked = self.ask(BY_SCORE, NODES)
        for name in NODES:
            if name != "epsilon":
                self.answer(name, asked)
        self.close(BY_SCORE, {"epsilon": "NO_ANSWER"})
        self.answer("epsilon", self.ask(BY_SCORE, ["epsilon"], again=" again"))
        self.close(BY_SCORE, {})

    # --- a regional table ------------------------------------------------------

    def spec(self, previous=None):
        q = Quorum(len(NODES), 0)
        found = {
            "attempt": int(previous is not None),
            "c": q.c,
            "epoch": 2,
            "eta": [1, 100],
            "h": q.h,
            "j": 2,
            "deadlines": [self.now + 60 * i for i in range(1, 6)],
            "k": 5,
            "n": q.n,
            "t": q.t,
            "nonce": digest(f"nonce {previous}"),
            "request": sha(encode(REGIONAL)),
            "roster": self.roster_hash,
            "u_min": q.u_min,
            "v": 1,
        }
        found = found | ({"previous": previous} if previous else {})
        return found | self.options.get("spec", {})

    def certificate(self, session):
        session, parts = self.options.get("session", session), []
        for at in self.options.get("erased", (0, 2, 3)):
            signature = self.keys[NODES[at], "identity"].sign("abort", bytes.fromhex(session))
            parts.append(struct.pack(">H", at) + bytes.fromhex(signature))
        if self.options.get("bad_erasure"):
            parts[1] = flip(parts[1], 30)
        return session + struct.pack(">H", len(parts)).hex() + b"".join(parts).hex()

    def regional(self):
        id_, asked = sha(encode(REGIONAL)), self.ask(REGIONAL, NODES)
        for name in NODES:
            self.question(name, asked)
            self.append(name, "approved", by="person", request=id_)
            terms = {"eta": [1, 100], "j": 2, "k": 5}
            self.append("coordinator", "ready", id=id_, node=name, terms=terms)
        first = self.first = self.spec()
        round1, session1, debits = sha(encode(first)), digest("first session"), {}
        self.append("coordinator", "round-began", id=id_, spec=first)
        for name in NODES:
            self.append(name, "round-joined", request=id_, round=round1)
            regional = {"h": first["h"], "roster": self.roster_hash, "session": session1}
            debits[name], _ = self.debit(name, asked | {"nonce": first["nonce"], "round": round1}, regional=regional)
            self.append(name, "abort", debit=debits[name])
            self.append(name, "round-erased", round=round1)
        self.append("coordinator", "round-failed", id=id_, inputs=True, round=round1)
        spec = self.spec(round1)
        proof = self.certificate(session1)
        self.append("coordinator", "round-began", certificate=proof, id=id_, spec=spec)
        round2 = sha(encode(spec))
        opened = self.secure_sum(spec, round2)
        for name in NODES:
            self.append(name, "round-joined", request=id_, round=round2)
            self.seeds[name] += 1
            self.append(
                name,
                "carry",
                certificate=proof,
                debit=debits[name],
                nonce=spec["nonce"],
                round=round2,
                seed=self.seeds[name] - 1,
                session=opened["sid"],
            )
            self.append(name, "masked", masked=opened["hashes"][name], request=id_, round=round2)
            if name == "delta":
                self.append(name, "abort", debit=debits[name])
            else:
                self.append(name, "release", debit=debits[name], release=opened["hashes"][name], request=id_)
            self.append(name, "round-erased", round=round2)
        counted = [name for name in NODES if name != "delta"]
        table = tables.publish(
            Request(REGIONAL), spec, round2, Quorum(5, 0), counted, {"delta": "ROUND_LEFT"}, opened["sums"]
        )
        table = stated(table, REGIONAL)
        table = self.options.get("regional_table", lambda table: table)(table)
        self.append("coordinator", "closed", counted=counted, id=id_, published=self.blob(encode(table)))

    def secure_sum(self, spec, round_id):
        """Plays the round with the twin of the secure sum, delta being dropped."""
        r = Request(REGIONAL)
        everybody, u3 = list(range(5)), [0, 1, 3, 4]
        played = secagg.Round(
            {
                "spec": encode(spec).decode(),
                "identity_seeds": NODES,
                "layout": r.layout(),
                "u1": everybody,
                "u2": everybody,
                "u3": u3,
                "unmaskers": u3,
            }
        )
        draw = secagg.fixed(b"self-test round")
        nodes = [
            secagg.Node(played, at, self.keys[name, "identity"].seed, draw(176 + 128 * (played.t - 1)))
            for at, name in enumerate(NODES)
        ]
        adverts = [node.advert for node in nodes]
        played.open_session(adverts)
        files = {
            "adverts": bytes.fromhex(played.message(0x02, *adverts)),
            "u2": secagg.place(*everybody),
            "survivors": bytes.fromhex(played.message(0x04, secagg.place(*u3))),
        }
        confirmed = [secagg.place(at) + secagg.sign(nodes[at].seed, "u3", played.id + played.u3h) for at in u3]
        files["confirmations"] = bytes.fromhex(played.message(0x05, *confirmed))
        hashes, sums = {}, [[0] * cells for _, cells in r.layout()]
        for at, node in enumerate(nodes):
            # The first two cells stay under the threshold.
            values = [[c and (c - 1) * (7 * at + 5) for c in range(cells)] for _, cells in r.layout()]
            y, masked = node.mask(values)
            hashes[NODES[at]] = sha(masked[8:-64])
            if at in u3:
                files[f"masked/{at:05}"] = bytes.fromhex(played.message(0x13, masked)) + y
                files[f"own/{at:05}"] = secagg.scalar(node.sigma_b)
                sums = [[a + b for a, b in zip(x, v)] for x, v in zip(sums, values)]
            else:
                files[f"mask/{at:05}"] = secagg.scalar(node.sigma_m)
        self.rounds = {f"rounds/{round_id}/{name}": data for name, data in files.items()}
        return {"sid": played.sid.hex(), "hashes": hashes, "sums": sums}

    # --- ends ---------------------------------------------------------------------

    def finish(self):
        rho = sum(Request(value).cost(10**11)["nano_rho"] for value in (BY_SEX, BY_SCORE, REGIONAL))
        delta = sum(Request(value).cost(10**11)["atto_delta"] for value in (BY_SEX, BY_SCORE, REGIONAL))
        self.append(
            "alpha", "closed", atto_delta=delta, debits=3, nano_rho=rho, period="2026Q1", source="adult-social-work"
        )
        self.append("beta", "recovered", periods=["2025Q4"], source="adult-social-work")
        self.append("beta", "destroyed", periods=["2026Q1"], seeds=[0], vintage=digest("vintage beta"))
        self.approve_policy("delta")
        self.approvers("gamma", ["second", "third"], by=["first", "second"])
        self.approve_policy("gamma", ["second", "third"])
        self.append("coordinator", "access", auditor="ville")
        if "more" in self.options:
            self.options["more"](self)
        if self.options.get("untold"):
            self.answer("alpha", self.ask(BY_SEX | {"periods": ["2026Q2"]}, NODES), told=False)

    def play(self):
        self.begin()
        self.table_by_sex()
        self.table_by_score()
        self.regional()
        self.finish()
        return self

    # --- the bundle -----------------------------------------------------------------

    def checkpoint(self, log):
        head = log.head() | self.options.get("signed_head", {}).get(log.name, {})
        text = f"{log.origin}\n{head['size']}\n{base64.b64encode(bytes.fromhex(head['root'])).decode()}\n"
        lines = [signature_line(log.origin, 1, log.key, log.key.raw(text.encode()))]
        late = self.options.get("cosigned", self.now + 10)
        cosigners = NODES if log.name == "coordinator" else ["coordinator"]
        for who in self.options.get("cosigners", {}).get(log.name, cosigners):
            key = self.keys[who, "witness"] if isinstance(who, str) else who
            end = "coordinator" if who == "coordinator" else f"node/{who}"
            name = f"koonti/{REGION}/{end}/witness" if isinstance(who, str) else "outside.example/w"
            signature = key.raw(f"cosignature/v1\ntime {late}\n{text}".encode())
            lines.append(signature_line(name, 4, key, late.to_bytes(8, "big") + signature))
        return (text + "\n" + "".join(lines)).encode()

    def files(self, only=None):
        found = {f"blobs/{name}": data for name, data in self.blobs.items()} | self.rounds
        for log in self.logs.values():
            if only in (None, log.name):
                top = f"logs/{log.name}" if log.name == "coordinator" else f"logs/node-{log.name}"
                found[f"{top}/checkpoint"] = self.checkpoint(log)
                for path, data in tree.hash_tiles(log.leaves):
                    found[f"{top}/{path}"] = data
                for path, first, width in tree.entry_bundles(len(log.entries)):
                    part = log.entries[first : first + width]
                    found[f"{top}/{path}"] = b"".join(struct.pack(">H", len(e)) + e for e in part)
        return found

    def trust(self):
        return f"# self-test\ngovernance {self.governance.hex}\n"


def signature_line(name, kind, key, signature):
    data = key_id(name, kind, key.public) + signature
    return f"\u2014 {name} {base64.b64encode(data).decode()}\n"


def archive(files, region=REGION, meta=None, order=sorted):
    listed = {name: sha(data) for name, data in files.items()}
    value = {"files": listed, "region": region, "v": 1} | (meta or {})
    files, out = files | {"bundle.json": encode(value)}, []
    for name in order(files):
        info = tarfile.TarInfo(name)
        info.mode, info.size = 0o444, len(files[name])
        block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        block[329:345] = b"0000000\0" * 2  # some versions leave the device empty
        mend(block)
        out += [block, files[name], bytes(-len(files[name]) % 512)]
    return b"".join(out) + bytes(1024)


def mend(block):
    """Puts the checksum of a header right."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
