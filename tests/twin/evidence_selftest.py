#!/usr/bin/env python3
"""Holds the twin verifier to bundles of evidence, sound and broken.

    evidence_selftest.py            every case; exit 1 at the first that is judged otherwise
    evidence_selftest.py --write F  writes the sound bundle to F, its trust file to F.trust
    evidence_selftest.py --speed N  a bundle of N releases of 60 cells, and how long it takes

The bundles are those of `evidence_region.py`. A case changes entries before they are signed, or
files and bytes afterwards (what a carrier can do), and names the rules that must fail: these and
no others. Python 3.11 or later and the `cryptography` package.
"""

import argparse
import base64
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
from fractions import Fraction

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import verify  # noqa: E402
from evidence import container, question, regional, tables, tree  # noqa: E402
from evidence.canon import encode, sha  # noqa: E402
from evidence.note import key_id  # noqa: E402
from evidence.question import Quorum, Request, Requests, codebook  # noqa: E402
from evidence_region import (  # noqa: E402
    BY_SCORE,
    BY_SEX,
    NODES,
    REGION,
    REGIONAL,
    START,
    Key,
    Region,
    archive,
    chained,
    digest,
    flip,
    is_approving,
    mend,
    policy,
    request,
)

DAY = 86_400


# --- how a case breaks a bundle ---------------------------------------------------


def at(log, kind, nth, change):
    """A tweak of the nth entry of a type: `change` gets it and gives what stands there instead."""
    seen = [0]

    def tweak(name, entry):
        if name == log and entry["type"] == kind:
            seen[0] += 1
            if seen[0] == nth + 1:
                return change(entry)
        return entry

    return tweak


def put(**fields):
    return lambda entry: entry | fields


def without(name):
    return lambda entry: {x: y for x, y in entry.items() if x != name}


def drop(_entry):
    return None


def twice(entry):
    return [entry, entry]


def inside(name, **fields):
    return lambda entry: entry | {name: entry[name] | fields}


def flip_hex(text, where=0):
    return text[:where] + f"{int(text[where], 16) ^ 1:x}" + text[where + 1 :]


def file_changed(ending, change):
    """Changes the first file in whose name this stands."""

    def apply(files):
        name = next(n for n in sorted(files) if ending in n)
        found = change(files[name])
        return {n: d for n, d in files.items() if n != name} | ({} if found is None else {name: found})

    return apply


def blob_of(log, kind, field, change):
    """Changes the blob that a log's first entry of a type names; its file keeps the name."""

    def apply(files, region):
        entry = next(json.loads(e) for e in region.logs[log].entries if json.loads(e)["type"] == kind)
        name = f"blobs/{entry[field]}"
        found = change(files[name])
        return {n: d for n, d in files.items() if n != name} | ({} if found is None else {name: found})

    return apply


def own_of(files, place):
    """The name of one more opened secret."""
    return next(name for name in files if "/own/" in name)[:-5] + f"{place:05}"


def cells_of(name, change):
    """Changes the cells of one node's releases before they are signed."""
    return lambda node, r, cells: change(r, [list(c) for c in cells]) if node == name else cells


def under_tau(r, cells):
    if not r.score:
        cells[0] = [1, 26]  # tau is 27
    return cells


def one_vector_only(r, cells):
    if r.score:
        shown = next(i for i, c in enumerate(cells[: r.cells]) if c[0])
        cells[r.cells + shown] = [0, 0]
    return cells


def withheld_but_there(r, cells):
    return [[s, v if s else 1] for s, v in cells] if any(not s for s, _ in cells) else [[0, 1], *cells[1:]]


def huge(_r, cells):
    return [[1, (1 << 40) + 1], *cells[1:]]


def odd_status(_r, cells):
    return [[2, cells[0][1]], *cells[1:]]


def only(name, change):
    return lambda node, data: change(data) if node == name else data


def shown_higher(table):
    for cell in table["cells"]:
        if cell["state"] == "published":
            cell["value"] += 1
            break
    return table


def shown_low(table):
    """Prints a cell of a regional table that lies under the threshold."""
    for cell in table["cells"]:
        if cell["state"] == "suppressed":
            low = table["regional"]["threshold"] - 1
            cell |= {"state": "published", "value": low, "low": low - 5, "high": low + 5}
            break
    return table


def header_with(**fields):
    """Another header, with its length right."""

    def change(data):
        size = int.from_bytes(data[:4], "big")
        new = encode(json.loads(data[4 : 4 + size]) | fields)
        return struct.pack(">I", len(new)) + new + data[4 + size :]

    return change


header_length = header_with(round=digest("another round"))


def swap(log, kind_a, kind_b):
    """Two neighbours of these types change places."""
    kept = []

    def tweak(name, entry):
        if name == log and entry["type"] == kind_a and not kept:
            kept.append(entry)
            return None
        if name == log and entry["type"] == kind_b and len(kept) == 1:
            kept.append(None)
            return [entry, kept[0] | {"time": entry["time"]}]
        return entry

    return tweak


def new_policy(log, kind, nth, **changes):
    """Other rules, duly approved, behind an entry; the regional debit names them. A tweak, and their blob."""
    data = encode(policy(**changes))
    before = []

    def approved(entry):
        found, after = [], chained(before)
        for key in (Key("first"), Key("second")):
            found.append({"key": key.hex, "signature": key.sign("policy-after", bytes.fromhex(after + sha(data)))})
        found.sort(key=lambda one: one["key"])
        fields = {"after": after, "approvals": found, "policy": sha(data), "time": entry["time"]}
        return [entry, {"type": "policy-approved"} | fields]

    approve = at(log, kind, nth, approved)
    named = at(log, "debit", 2, put(policy=sha(data)))

    def tweak(name, entry):
        if name == log and is_approving(encode(entry)):
            before.append(encode(entry))
        return named(name, entry) if entry["type"] == "debit" else approve(name, entry)

    return {
        "tweak": tweak,
        "files": lambda files: files | {f"blobs/{sha(data)}": data},
    }


def earlier_roster():
    """Alpha's regional debit under the first roster."""
    seen = []

    def tweak(name, entry):
        if entry["type"] == "roster":
            seen.append(entry["roster"])
        return entry | {"regional": entry["regional"] | {"roster": seen[0]}} if name == "alpha" else entry

    regional_debit = at("alpha", "debit", 2, lambda e: tweak("alpha", e))
    return lambda name, e: tweak(name, e) if name == "coordinator" else regional_debit(name, e)


def carried_back():
    """Alpha carries its debit into the round that it was debited for."""
    seen = []

    def remember(entry):
        seen.append({"nonce": entry["nonce"], "round": entry["round"]})
        return entry

    first, second = at("alpha", "debit", 2, remember), at("alpha", "carry", 0, lambda e: e | seen[0])
    return lambda name, e: first(name, e) if e["type"] == "debit" else second(name, e)


LATER = BY_SEX | {"periods": ["2026Q2"]}


def asked_only(value):
    """Alpha takes a question that comes to nothing."""

    def more(region):
        region.question("alpha", region.ask(value, ["alpha"]))
        region.append("alpha", "refused", reason="PERIOD_NOT_HELD", request=sha(encode(value)))

    return more


def reversed_approvals(entry):
    return entry | {"approvals": entry["approvals"][::-1]}


def approved_so(log, nth):
    """Rules approved with signatures that name nothing before them, as in earlier versions."""

    def change(entry):
        people = {Key(name).hex: Key(name) for name in ("first", "second", "third")}
        found = [one["key"] for one in entry["approvals"]]
        signatures = [people[key].sign("policy", bytes.fromhex(entry["policy"])) for key in found]
        approvals = [{"key": key, "signature": one} for key, one in zip(found, signatures)]
        return {name: value for name, value in entry.items() if name != "after"} | {"approvals": approvals}

    return at(log, "policy-approved", nth, change)


def named_so(name, entry):
    if name != "gamma" or entry["type"] != "approvers" or not entry["approvals"]:
        return entry
    message = bytes.fromhex("".join(entry["keys"]))
    approvals = [{"key": Key(p).hex, "signature": Key(p).sign("approvers", message)} for p in ("first", "second")]
    del entry["after"]
    return entry | {"approvals": sorted(approvals, key=lambda one: one["key"])}


def approvals_of(one, other):
    """The other's rules with what was signed of the one's: the same rules, by the same persons."""
    kept = []

    def tweak(name, entry):
        if entry["type"] == "policy-approved" and name == one and not kept:
            kept.append(entry)
        elif entry["type"] == "policy-approved" and name == other:
            return entry | {"after": kept[0]["after"], "approvals": kept[0]["approvals"]}
        return entry

    return tweak


def stranger(label, field):
    """Two who may approve, and one who may not."""

    def change(entry):
        message = bytes.fromhex(entry["after"] + ("".join(entry["keys"]) if field == "keys" else entry[field]))
        key = Key("stranger")
        more = [*entry["approvals"], {"key": key.hex, "signature": key.sign(label + "-after", message)}]
        return entry | {"approvals": sorted(more, key=lambda one: one["key"])}

    return change


def no_regional_table(files, region):
    entries = [json.loads(e) for e in region.logs["coordinator"].entries]
    name = next(e["published"] for e in entries if "counted" in e)
    return {n: d for n, d in files.items() if n != f"blobs/{name}"}


def lower_threshold(table):
    table["regional"]["threshold"] -= 1
    return table


def missing(*steps):
    """A table of alpha's alone: what gamma says, and what the tables say of gamma."""

    def more(region):
        id_ = sha(encode(LATER))
        region.answer("alpha", region.ask(LATER, ["alpha", "gamma"]))
        for step in steps:
            if step == "again":
                region.ask(LATER, ["gamma"], again=" again")
            elif step == "refused":
                region.append("coordinator", "refused", id=id_, node="gamma", reason="DECLINED_BY_PERSON")
            else:
                region.close(LATER, {"gamma": step})

    return more


def released_late(region):
    """Gamma's release comes when the table is closed, and nobody asks again."""
    asked = region.ask(LATER, ["alpha", "gamma"])
    region.answer("alpha", asked)
    region.close(LATER, {"gamma": "NO_ANSWER"})
    kept = list(region.combined[sha(encode(LATER))])
    region.answer("gamma", asked)
    region.combined[sha(encode(LATER))] = kept
    region.close(LATER, {"gamma": "NO_ANSWER"})


def debit_of_another(region):
    """A regional debit in a round of another table."""
    value = REGIONAL | {"periods": ["2026Q2"]}
    asked = region.ask(value, ["alpha"])
    region.question("alpha", asked)
    region.append("alpha", "approved", by="person", request=sha(encode(value)))
    terms = {"h": region.first["h"], "roster": region.roster_hash, "session": digest("first session")}
    named = {"nonce": region.first["nonce"], "round": sha(encode(region.first))}
    region.debit("alpha", asked | named, regional=terms)


def newest_roster(region):
    """A third roster, without gamma."""
    named = region.roster(3, [name for name in NODES if name != "gamma"])
    region.append("coordinator", "roster", **named)


def by_policy(name, entry):
    return entry | {"by": "policy"} if entry["type"] == "approved" else entry


OUTSIDE = Key("outside witness")


def vkey(name, key, kind=4):
    return f"{name}+{key_id(name, kind, key.public).hex()}+{base64.b64encode(bytes([kind]) + key.public).decode()}"


WITNESS = f"witness w {vkey('outside.example/w', OUTSIDE)}\nquorum w\n"


def note_changed(log, change):
    return file_changed(f"{log}/checkpoint", change)


def signature_flipped(nth):
    """Flips a bit of the nth signature under a note."""

    def change(note):
        lines = note.decode().split("\n")
        first = lines.index("") + 1
        head, data = lines[first + nth].rsplit(" ", 1)
        lines[first + nth] = f"{head} {base64.b64encode(flip(base64.b64decode(data), 40)).decode()}"
        return "\n".join(lines).encode()

    return change


def first_signature_twice(note):
    start = note.index(b"\n\n") + 2
    return note + note[start : note.index(b"\n", start) + 1]


def no_cosignature(note):
    return note[: note.rindex("\u2014".encode())]


def tar_header(change, nth=0):
    """Changes a header block and mends its checksum."""

    def apply(data):
        data, at_, seen = bytearray(data), 0, 0
        while seen < nth:
            at_ += 512 + -(-int(bytes(data[at_ + 124 : at_ + 135]), 8) // 512) * 512
            seen += 1
        block = bytearray(data[at_ : at_ + 512])
        change(block)
        mend(block)
        data[at_ : at_ + 512] = block
        return bytes(data)

    return apply


def field(start, value):
    def change(block):
        block[start : start + len(value)] = value

    return change


def retime(delta):
    return lambda entry: entry | {"time": entry["time"] + delta}


SMALL = {"allowance": {"nano_rho_per_period": 0}}


def spent(name):
    """What the three tables cost in 2026Q1."""
    return sum(Request(value).cost(10**11)[name] for value in (BY_SEX, BY_SCORE, REGIONAL))


def fork(log):
    """A pin of the log's size with another root."""
    return lambda region: {region.logs[log].origin: [len(region.logs[log].leaves), digest("fork")]}


def pin(log, size):
    """A pin of a true prefix."""

    def make(region):
        leaves = region.logs[log].leaves
        size_ = len(leaves) if size is None else size
        root = tree.roots(leaves, [size_])[size_].hex() if size_ <= len(leaves) else digest("later")
        return {region.logs[log].origin: [size_, root]}

    return make


def case(name, rules, **how):
    return name, set(rules.split()), how


def cases():
    """(name, rules that must fail, how)"""
    c = case
    yield c("sound", "")
    yield c("sound, with pins that are prefixes", "", pins=pin("alpha", 5))
    yield c("sound, with a pin of the whole log", "", pins=pin("coordinator", None))
    yield c(
        "sound, cosigned by an outside witness",
        "",
        trust=WITNESS,
        options={"cosigners": {name: [OUTSIDE] for name in [*NODES, "coordinator"]}},
    )
    yield c(
        "sound, no cosignatures and none demanded",
        "",
        trust="quorum none\n",
        options={"cosigners": {name: [] for name in [*NODES, "coordinator"]}},
    )

    # The archive.
    yield c("a byte of a blob", "R01", raw=lambda d: flip(d, 512 + 10))
    yield c("a byte of padding", "R01", raw=lambda d: flip(d, d.index(b"\0" * 20, 600) + 5))
    yield c("a byte behind the end", "R01", raw=lambda d: d + bytes(512))
    yield c("one zero block at the end", "R01", raw=lambda d: d[:-512])
    yield c("a cut archive", "R01", raw=lambda d: d[: len(d) // 1024 * 512])
    yield c("an empty archive", "R01", raw=lambda d: b"")
    yield c("mode 0644", "R01", raw=tar_header(field(100, b"0000644\0")))
    yield c("a time", "R01", raw=tar_header(field(136, b"00000000001\0"), 2))
    yield c("an owner", "R01", raw=tar_header(field(108, b"0000001\0"), 1))
    yield c("an owner's name", "R01", raw=tar_header(field(265, b"root"), 1))
    yield c("a symbolic link", "R01", raw=tar_header(field(156, b"2"), 1))
    yield c("a size beyond the archive", "R01", raw=tar_header(field(124, b"77777777777\0"), 1))
    yield c("a checksum", "R01", raw=lambda d: flip(d, 150))
    yield c("a checksum of seven digits", "R01", raw=lambda d: d[:148] + b"%07o\0" % int(d[148:154], 8) + d[156:])
    yield c("devices of zeros", "R01", raw=tar_header(field(329, bytes(16)), 1))
    yield c("names out of order", "R01", order=lambda files: sorted(files, reverse=True))
    yield c("a path that is none", "R01", files=lambda f: f | {"blobs/x": b"x"})
    for place in ("65536", "99999"):
        path = f"rounds/{digest('r')}/own/{place}"
        yield c(f"place {place}", "R01", files=lambda f, path=path: f | {path: b"x"})
    yield c("place 65535", "R28", files=lambda f: f | {own_of(f, 65535): b"x"})
    yield c("a path upwards", "R01", files=lambda f: f | {"logs/../x": b"x"})
    yield c(
        "a file that bundle.json does not list", "R01", meta=lambda m: m | {"files": dict(list(m["files"].items())[1:])}
    )
    yield c(
        "a hash of bundle.json",
        "R01",
        meta=lambda m: m | {"files": m["files"] | {"logs/coordinator/checkpoint": digest("x")}},
    )
    yield c("a blob under another name", "R01", files=lambda f: f | {f"blobs/{digest('x')}": b"y"})
    yield c("another version", "R01", meta=lambda m: m | {"v": 2})

    # Notes, keys and cosignatures.
    yield c("the log's signature", "R03", files=note_changed("node-alpha", signature_flipped(0)))
    yield c("a cosignature", "R03", files=note_changed("node-alpha", signature_flipped(1)))
    yield c("a cosignature of the coordinator's log", "R03", files=note_changed("coordinator", signature_flipped(3)))
    yield c("a missing cosignature", "R04", files=note_changed("node-beta", no_cosignature))
    yield c("three cosignatures of four", "R04", options={"cosigners": {"coordinator": NODES[:3]}})
    yield c("four cosignatures of four", "", options={"cosigners": {"coordinator": NODES[:4]}})
    yield c("a node that cosigns in the coordinator's place", "R04", options={"cosigners": {"alpha": ["beta"]}})
    yield c("no outside witness", "R04", trust=WITNESS)
    yield c("three days later", "R04", now=3 * DAY)
    yield c("two days later, to the second", "", now=2 * DAY)
    yield c("cosigned in the future", "R04", now=-1)
    yield c(
        "another origin", "R02", files=note_changed("node-alpha", lambda n: n.replace(b"node/alpha", b"node/beta", 1))
    )
    yield c("a fourth line", "R02", files=note_changed("node-alpha", lambda n: n.replace(b"\n\n", b"\nmore\n\n", 1)))
    yield c(
        "no signature of the log",
        "R02",
        files=note_changed(
            "node-alpha",
            lambda n: n.replace("\u2014 koonti/ita/node/alpha ".encode(), "\u2014 koonti/ita/node/other ".encode(), 1),
        ),
    )
    yield c(
        "two signatures of the log's key",
        "R02",
        files=note_changed("node-alpha", first_signature_twice),
    )
    yield c("a log whose node has left", "", options={"more": newest_roster})
    yield c("no checkpoint", "R02", files=note_changed("node-alpha", lambda n: None))
    yield c("another governance key", "R02", trust_governance=Key("someone").hex)
    yield c("a roster signed by another", "R02", options={"governance": Key("someone")})
    yield c("a roster of another region", "R02", options={"roster": {"region": "other"}})
    yield c(
        "an absent roster",
        "R02",
        with_region=blob_of("coordinator", "roster", "roster", lambda d: None),
        tweak=at("coordinator", "roster", 1, drop),
    )
    yield c(
        "the signature of the newest roster",
        "R02",
        tweak=at("coordinator", "roster", 1, lambda e: e | {"signature": flip_hex(e["signature"])}),
    )
    yield c(
        "the signature of the first roster",
        "R24",
        tweak=at("coordinator", "roster", 0, lambda e: e | {"signature": flip_hex(e["signature"])}),
    )
    yield c(
        "the signature of a roster at a node",
        "R24",
        tweak=at("alpha", "roster-approved", 0, lambda e: e | {"signature": flip_hex(e["signature"])}),
    )
    yield c(
        "the signature of the roster in force at a node",
        "R24",
        tweak=at("alpha", "roster-approved", 1, lambda e: e | {"signature": flip_hex(e["signature"])}),
    )
    yield c("a roster without signature", "R08", tweak=at("alpha", "roster-approved", 0, without("signature")))
    yield c(
        "a third key of the coordinator",
        "R02",
        options={"roster": {"coordinator": {use: Key(f"coordinator {use}").hex for use in ("log", "witness", "tls")}}},
    )
    yield c("the first roster is absent", "R24", with_region=blob_of("coordinator", "roster", "roster", lambda d: None))

    # Trees, forks and prefixes.
    yield c("an entry bundle", "R05", files=file_changed("node-alpha/tile/entries/000.p", lambda d: flip(d, 30)))
    yield c("a hash tile", "R05", files=file_changed("node-alpha/tile/0/000.p", lambda d: flip(d, 30)))
    yield c("a missing tile", "R05", files=file_changed("node-alpha/tile/0/000.p", lambda d: None))
    yield c("a signed root of other entries", "R05", options={"signed_head": {"alpha": {"root": digest("x")}}})
    yield c("a signed size of one less", "R05", options={"signed_head": {"alpha": {"size": 5}}})
    yield c("a tile too many", "R05", files=lambda f: f | {"logs/node-alpha/tile/1/000.p/1": bytes(32)})
    yield c("a bundle that goes on", "R05", files=file_changed("node-alpha/tile/entries/000.p", lambda d: d + b"\0\1x"))
    yield c("a fork against a pin", "R06 R07", pins=fork("alpha"))
    yield c("a fork of the coordinator against a pin", "R06 R07", pins=fork("coordinator"))
    yield c(
        "a pin of a log that is not here",
        "R06",
        pins=lambda region: {f"koonti/{REGION}/node/zeta": [1, digest("z")]},
    )
    yield c(
        "a log left out",
        "R06",
        files=lambda f: {n: d for n, d in f.items() if not n.startswith("logs/node-epsilon/")},
    )
    yield c("a log shorter than a pin", "R06", pins=pin("alpha", 1000))
    yield c(
        "another root in a question",
        "R06",
        tweak=at("alpha", "question", 1, lambda e: e | {"asked": e["asked"] | {"root": digest("other")}}),
    )
    yield c(
        "a head larger than the log",
        "R06",
        tweak=at("coordinator", "released", 8, lambda e: e | {"head": e["head"] | {"size": 5000}}),
    )
    yield c("other heads", "R06 R07", options={"heads": lambda h: h | {"beta": [h["beta"][0], digest("x")]}})
    yield c(
        "the blob of heads is absent",
        "R06",
        with_region=blob_of("coordinator", "asked", "heads", lambda d: None),
    )

    # The form of entries.
    yield c("an entry that is not canonical", "R08", tweak=at("alpha", "approved", 0, lambda e: encode(e) + b" "))
    yield c("an entry with a null", "R08", tweak=at("alpha", "approved", 0, put(request=None)))
    yield c("an unknown type", "R08", tweak=at("alpha", "approved", 0, put(type="agreed")))
    yield c("a field too many", "R08", tweak=at("alpha", "approved", 0, put(more=1)))
    yield c("a field too few", "R08", tweak=at("alpha", "imported", 0, without("source")))
    yield c("a reason of no list", "R08", tweak=at("gamma", "refused", 0, put(reason="BECAUSE")))
    yield c("two geneses", "R08", tweak=at("alpha", "genesis", 0, twice))
    yield c("no genesis", "R08", tweak=at("alpha", "genesis", 0, drop))
    yield c("a gap in the seeds", "R08", tweak=at("alpha", "seeds", 1, put(first=5)))
    yield c("renewed by a stranger", "R08", tweak=at("coordinator", "renewed", 1, put(by=digest("x"))))
    yield c("renewed for somebody else", "R08", tweak=at("coordinator", "renewed", 0, put(name="nobody")))
    yield c("revoked twice", "R08", tweak=at("coordinator", "revoked", 0, twice))
    yield c("seeds out of order", "R08", tweak=at("alpha", "seeds", 0, put(first=4)))
    yield c("approvers without approvals", "R08", tweak=at("gamma", "approvers", 1, put(approvals=[])))
    yield c(
        "first approvers with approvals",
        "R08",
        tweak=at("gamma", "approvers", 0, put(approvals=[{"key": digest("k"), "signature": "00" * 64}])),
    )
    yield c("one approver", "R08", tweak=at("gamma", "approvers", 0, lambda e: e | {"keys": e["keys"][:1]}))
    yield c("a debit with tau and regional", "R15", tweak=at("alpha", "debit", 2, put(tau=9)))
    yield c("a float", "R08", tweak=at("alpha", "debit", 0, put(k=5.0)))
    yield c("a name that ends with a dash", "", tweak=at("coordinator", "access", 0, put(auditor="ville-")))
    yield c("a name that begins with a dash", "R08", tweak=at("coordinator", "access", 0, put(auditor="-ville")))

    # Times.
    yield c("an earlier time", "R09", tweak=at("alpha", "approved", 0, retime(-50)))
    yield c("later than its cosignature by 301 seconds", "R09", tweak=at("gamma", "policy-approved", 1, retime(312)))
    yield c("later than its cosignature by 300 seconds", "", tweak=at("gamma", "policy-approved", 1, retime(311)))

    # Questions and answers.
    yield c(
        "a question of another index",
        "R10",
        tweak=at("alpha", "question", 0, lambda e: e | {"asked": e["asked"] | {"index": e["asked"]["index"] - 1}}),
    )
    yield c("a question of another nonce", "R10 R13", tweak=at("alpha", "question", 0, put(nonce=digest("n"))))
    yield c("a question of another deadline", "R10", tweak=at("alpha", "question", 0, put(deadline=START + DAY + 1)))
    yield c(
        "a question that knows of more",
        "R10",
        tweak=at("alpha", "question", 0, lambda e: e | {"known": e["known"] + 1}),
    )
    yield c(
        "a question not asked of this node",
        "R10",
        tweak=at("coordinator", "asked", 0, lambda e: e | {"nodes": [n for n in e["nodes"] if n != "alpha"]}),
    )
    yield c(
        "a release at another index",
        "R10",
        tweak=at("coordinator", "released", 0, lambda e: e | {"index": e["index"] - 1}),
    )

    # Rules and approvals.
    yield c("a policy after the debit", "R11 R12 R14 R15", tweak=at("beta", "policy-approved", 0, drop))
    yield c(
        "one approval", "R11", tweak=at("beta", "policy-approved", 0, lambda e: e | {"approvals": e["approvals"][:1]})
    )
    yield c(
        "an approval's signature",
        "R11",
        tweak=at(
            "beta",
            "policy-approved",
            0,
            lambda e: e
            | {
                "approvals": [
                    e["approvals"][0],
                    e["approvals"][1] | {"signature": flip_hex(e["approvals"][1]["signature"])},
                ]
            },
        ),
    )
    yield c(
        "one approval twice",
        "R11",
        tweak=at("beta", "policy-approved", 0, lambda e: e | {"approvals": e["approvals"][:1] * 2}),
    )
    yield c("approvals out of order", "R11", tweak=at("beta", "policy-approved", 0, reversed_approvals))
    yield c(
        "a stranger among the approvals",
        "R11",
        tweak=at("beta", "policy-approved", 0, stranger("policy", "policy")),
    )
    yield c("approvals of approvers out of order", "R08", tweak=at("gamma", "approvers", 1, reversed_approvals))
    yield c(
        "a stranger among those of approvers",
        "R08",
        tweak=at("gamma", "approvers", 1, stranger("approvers", "keys")),
    )
    yield c("approved of another node", "R11", tweak=approvals_of("alpha", "beta"))
    yield c("approved once, in force twice", "R11", tweak=at("gamma", "policy-approved", 1, lambda e: [e, e]))
    yield c("approved as earlier versions did it", "", tweak=approved_so("epsilon", 0))
    yield c("approved so where others follow", "", tweak=approved_so("delta", 0))
    yield c("approved so behind the first of this version", "R11", tweak=approved_so("gamma", 1))
    yield c("approved so behind approvers of this version", "R11", tweak=approved_so("beta", 0))
    yield c("approvers named as earlier versions did it", "R08", tweak=named_so)
    yield c("approved by somebody else", "R11", options={"people": ("first", "third")})
    yield c(
        "approvers approved by others",
        "R08",
        tweak=at(
            "gamma",
            "approvers",
            1,
            lambda e: e | {"approvals": [a | {"signature": flip_hex(a["signature"])} for a in e["approvals"]]},
        ),
    )
    yield c("a debit under another policy", "R11 R18", tweak=at("beta", "debit", 0, put(policy=digest("p"))))
    yield c(
        "the policy is absent",
        "R11",
        with_region=blob_of("beta", "policy-approved", "policy", lambda d: None),
    )
    yield c("a policy with k 2", "R11", policy={"k": 2})

    # Requests.
    yield c(
        "a signature of a request",
        "R10 R12",
        tweak=at(
            "alpha",
            "question",
            0,
            lambda e: e | {"request": e["request"] | {"signature": flip_hex(e["request"]["signature"])}},
        ),
    )
    yield c(
        "a quote taken for a question",
        "R10 R12",
        tweak=at("alpha", "question", 0, lambda e: e | {"request": e["request"] | {"intent": "quote"}}),
    )
    yield c(
        "asked by an auditor",
        "R10 R12 R13",
        tweak=at("alpha", "question", 0, lambda e: e | {"request": e["request"] | {"requester": "ville"}}),
    )
    yield c(
        "a purpose that the policy forbids",
        "R12",
        policy={"tables": policy()["tables"] | {"purposes": ["knowledge-management"]}},
    )
    yield c(
        "a k under the region's floor",
        "R12 R26",
        options={"roster": {"floor": {"c": 0, "eta": [1, 100], "j": 2, "k": 6}}},
    )
    yield c(
        "no roster in force",
        "R12 R15",
        tweak=lambda name, e: None if name == "alpha" and e["type"] == "roster-approved" else e,
    )
    yield c(
        "a question of a period that is not held",
        "R12",
        options={"more": asked_only(BY_SEX | {"periods": ["2025Q1"]})},
    )
    yield c("a question of another register", "R12", options={"more": asked_only(BY_SEX | {"register": "children"})})
    events = BY_SEX | {"measure": "events", "max_events": 3}
    yield c("a question for events that are not held", "R12", options={"more": asked_only(events)})
    held = at("alpha", "imported", 0, put(events=True))
    yield c("a question for events that are held", "", tweak=held, options={"more": asked_only(events)})
    yield c("an import without events that says so", "R08", tweak=at("alpha", "imported", 0, put(events=False)))
    yield c("events without their bound", "R12", options={"more": asked_only(BY_SEX | {"measure": "events"})})
    yield c("too many events", "R12", options={"more": asked_only(events | {"max_events": 101})})
    yield c("a question that comes to nothing", "", options={"more": asked_only(BY_SEX | {"periods": ["2026Q2"]})})
    yield c(
        "rules that admit the question and not the debit",
        "R12",
        **new_policy("alpha", "round-joined", 0, tables=policy()["tables"] | {"purposes": ["knowledge-management"]}),
    )
    yield c("a debit after the question has run out", "R12", options={"not_after": START + 70})
    yield c("another source than was imported", "R12 R14", tweak=at("alpha", "debit", 0, put(source="other")))

    again = {"vintage": digest("again")}
    newer = at("alpha", "imported", 0, lambda e: [e, e | again])
    yield c("an older extract than the newest", "R12", tweak=newer)
    second = at("alpha", "imported", 0, lambda e: [e, e | again | {"source": "other"}])
    yield c("a second data source", "R12", tweak=second)
    other = at("alpha", "imported", 0, lambda e: [e, e | again | {"register": "other"}])
    yield c("a newer extract of another register", "", tweak=other)
    imported = {"commitments": [digest("1"), digest("2")], "periods": ["2026Q1", "2026Q2"], "register": "adults"}
    imported |= again | {"source": "adult-social-work", "type": "imported"}
    later = at("beta", "release", 1, lambda e: [e, imported | {"time": e["time"]}])
    yield c("a newer extract after the first release", "", tweak=later)

    # The order of one question at a node.
    yield c("no question", "R13", tweak=at("alpha", "question", 0, drop))
    yield c("no yes", "R13", tweak=at("alpha", "approved", 0, drop))
    yield c("a yes before the question", "R13", tweak=swap("alpha", "question", "approved"))
    yield c("a yes of rules that ask each time", "R13", tweak=at("alpha", "approved", 0, put(by="policy")))
    yield c("a yes of such rules to a regional table", "R13", tweak=at("alpha", "approved", 2, put(by="policy")))
    yield c("a yes of rules that say so", "", tweak=by_policy, policy={"approval": "auto"})
    yield c("a yes of a person under such rules", "", policy={"approval": "auto"})
    yield c("a debit of other periods", "R13", tweak=at("beta", "debit", 0, put(periods=["2026Q2"])))
    yield c("a debit of another round", "R13 R18 R21", tweak=at("beta", "debit", 0, put(round=digest("r"))))
    yield c("another requester", "R13", tweak=at("alpha", "debit", 0, put(requester="ville")))
    yield c("a debit in another node's name", "R13 R18", tweak=at("alpha", "debit", 0, put(node="beta")))
    yield c("a debit that ends twice", "R13", tweak=at("alpha", "abort", 0, twice))
    yield c(
        "a release after an abort",
        "R13 R19 R29",
        tweak=at(
            "beta",
            "abort",
            0,
            lambda e: [
                e,
                {
                    "type": "release",
                    "time": e["time"],
                    "debit": e["debit"],
                    "release": digest("r"),
                    "request": sha(encode(REGIONAL)),
                },
            ],
        ),
    )
    yield c("a carry twice", "R13", tweak=at("alpha", "carry", 0, lambda e: [e, e | {"seed": 7}]))

    yield c("a signed request that is none", "R10 R12 R13", tweak=at("alpha", "question", 0, inside("request", more=1)))
    yield c("a release of another request", "R13", tweak=at("alpha", "release", 0, put(request=digest("q"))))
    yield c("a release of no debit", "R13", tweak=at("alpha", "release", 0, put(debit=3)))
    yield c("a carry of a table per organisation", "R13 R29", tweak=at("alpha", "carry", 0, put(debit=11)))

    yield c("such a carry with a used seed", "R13 R21 R29", tweak=at("alpha", "carry", 0, put(debit=11, seed=0)))

    # Allowances.
    yield c("the whole allowance, to the unit", "", policy={"allowance": {"nano_rho_per_period": spent("nano_rho")}})
    yield c("over the allowance by one", "R14", policy={"allowance": {"nano_rho_per_period": spent("nano_rho") - 1}})
    yield c("over the delta by one", "R14", policy={"allowance": {"atto_delta_per_period": spent("atto_delta") - 1}})
    yield c(
        "over a requester's share by one",
        "R14",
        policy={"allowance": {"nano_rho_per_requester": spent("nano_rho") - 1}},
    )
    yield c("a requester's share, to the unit", "", policy={"allowance": {"nano_rho_per_requester": spent("nano_rho")}})
    yield c(
        "other sums of a closed period",
        "R14",
        tweak=at("alpha", "closed", 0, lambda e: e | {"nano_rho": e["nano_rho"] + 1}),
    )
    yield c("a period closed twice", "R14", tweak=at("alpha", "closed", 0, twice))
    closed = {"atto_delta": 0, "debits": 0, "nano_rho": 0, "period": "2026Q2", "source": "adult-social-work"}
    yield c(
        "a debit on a closed period",
        "R14",
        tweak=at("beta", "seeds", 1, lambda e: [e, {"type": "closed", "time": e["time"]} | closed]),
    )
    over = {"type": "recovered", "periods": ["2026Q1", "2026Q2"], "source": "adult-social-work"}
    yield c(
        "a carry to a recovered period",
        "R14",
        tweak=at("alpha", "abort", 0, lambda e: [e, {"time": e["time"]} | over]),
    )
    yield c("another number of debits", "R14", tweak=at("alpha", "closed", 0, put(debits=2)))
    yield c(
        "a debit on a recovered period",
        "R14",
        tweak=at(
            "beta",
            "seeds",
            1,
            lambda e: [
                e,
                {"type": "recovered", "time": e["time"], "periods": ["2026Q2"], "source": "adult-social-work"},
            ],
        ),
    )

    # Costs.
    yield c(
        "a cost too low by one",
        "R15 R18",
        tweak=at("beta", "debit", 0, lambda e: e | {"cost": e["cost"] | {"nano_rho": e["cost"]["nano_rho"] - 1}}),
    )
    yield c("another tau", "R15 R18", tweak=at("beta", "debit", 0, lambda e: e | {"tau": e["tau"] - 1}))
    yield c("a debit without tau", "R15 R18", tweak=at("beta", "debit", 0, without("tau")))
    yield c("another k", "R15 R18", tweak=at("beta", "debit", 0, put(k=4)))
    yield c("another h", "R15", tweak=at("beta", "debit", 2, inside("regional", h=2)))
    yield c(
        "a regional cost too low by one",
        "R15",
        tweak=at("beta", "debit", 2, lambda e: e | {"cost": e["cost"] | {"nano_rho": e["cost"]["nano_rho"] - 1}}),
    )
    yield c("a regional k of the node's own", "R15", options={"spec": {"k": 6}})
    yield c("a regional k above its round's", "R15", tweak=at("beta", "debit", 2, put(k=6)))
    yield c("a regional k below the rules'", "R15", **new_policy("alpha", "round-joined", 0, k=6))
    yield c("rules approved anew", "", **new_policy("alpha", "round-joined", 0, approval="auto"))
    yield c("a regional debit under an earlier roster", "R15 R26", tweak=earlier_roster())

    # Releases.
    yield c("a cell under tau", "R16", options={"cells": cells_of("beta", under_tau)})
    yield c("a cell in one vector only", "R16", options={"cells": cells_of("beta", one_vector_only)})
    yield c("a withheld cell that is not zero", "R16", options={"cells": cells_of("beta", withheld_but_there)})
    yield c("a value beyond 2^40", "R17", options={"cells": cells_of("beta", huge), "unparsed": True})
    yield c("a status that is none", "R17", options={"cells": cells_of("beta", odd_status), "unparsed": True})
    yield c("a cell too many", "R17", options={"release": only("beta", lambda d: d + bytes(9))})
    yield c("a cell too few", "R17", options={"release": only("beta", lambda d: d[:-9])})
    yield c(
        "a release that does not parse, and its signature",
        "R17",
        options={"release": only("beta", lambda d: d[:-9])},
        tweak=at("coordinator", "released", 1, lambda e: e | {"signature": flip_hex(e["signature"])}),
    )
    yield c("a header of another attempt", "R17", options={"release": only("beta", header_with(attempt=1))})
    yield c("a header of another version", "R17", options={"release": only("beta", header_with(v=2))})
    yield c("a header of fewer vintages", "R17", options={"release": only("beta", header_with(vintages=[]))})
    yield c("a blob that no log names", "R17", files=lambda f: f | {f"blobs/{sha(b'y')}": b"y"})
    yield c(
        "such a blob, and a log that does not hold",
        "R05",
        files=lambda f: file_changed("node-alpha/tile/0/000.p", lambda d: None)(f | {f"blobs/{sha(b'y')}": b"y"}),
    )
    yield c("a header of another round", "R18", options={"release": only("beta", header_length)})
    yield c(
        "a release's signature",
        "R18",
        tweak=at("coordinator", "released", 0, lambda e: e | {"signature": flip_hex(e["signature"])}),
    )
    yield c(
        "the blob of a release is absent",
        "R18",
        with_region=blob_of("coordinator", "released", "release", lambda d: None),
    )
    yield c("another release at the node", "R10 R18 R20", tweak=at("alpha", "release", 0, put(release=digest("r"))))
    yield c("a release under another id", "R18 R22", tweak=at("coordinator", "released", 0, put(id=digest("q"))))
    late = b'"periods":["2026Q2"]'
    yield c(
        "a later release of another header",
        "R18",
        options={"untold": True, "release": only("alpha", lambda d: header_length(d) if late in d else d)},
    )
    yield c("a release told twice", "R19", tweak=at("coordinator", "released", 0, twice))
    yield c("a release that the coordinator does not tell", "R20 R22", tweak=at("coordinator", "released", 0, drop))
    yield c("a later release that is combined and not told", "R22", tweak=at("coordinator", "released", 8, drop))
    yield c("a later release that is not told yet", "", options={"untold": True})

    # Seeds before nonces.
    yield c("a seed twice", "R21", tweak=at("alpha", "debit", 1, put(seed=0)))
    yield c("a seed that was never fixed", "R21", tweak=at("alpha", "debit", 1, put(seed=8)))
    yield c("a seed of a carry twice", "R21", tweak=at("alpha", "carry", 0, put(seed=0)))
    yield c("the nonce before the seed", "R21", options={"heads": lambda h: h | {"alpha": [0, sha(b"")]}})
    yield c("no head of the node", "R10 R21", options={"heads": lambda h: {n: x for n, x in h.items() if n != "alpha"}})
    yield c("a debit of another nonce", "R13 R21", tweak=at("alpha", "debit", 0, put(nonce=digest("n"))))

    # Published tables.
    yield c("a published figure", "R22", options={"table": shown_higher})
    yield c(
        "a missing node's reason",
        "R22",
        options={
            "table": lambda t: t | {"nodes_missing": [m | {"reason": "AREA_NOT_SERVED"} for m in t["nodes_missing"]]}
        },
    )
    for kind, rule in (("table", "R22"), ("regional_table", "R28")):
        changed = {
            "left out": lambda t: {n: x for n, x in t.items() if n != "coverage"},
            "said to be larger": lambda t: t | {"coverage": [one | {"coverage": "all"} for one in t["coverage"]]},
            "of another node": lambda t: t | {"coverage": [one | {"node": "alpha"} for one in t["coverage"]]},
            "of other periods": lambda t: t | {"coverage": [one | {"periods": ["2026Q4"]} for one in t["coverage"]]},
        }
        for name, change in changed.items():
            yield c(f"coverage of a {kind} {name}", rule, options={kind: change})
        worded = {
            "of no word": lambda t: t | {"coverage": [one | {"coverage": "most"} for one in t["coverage"]]},
            "of nothing": lambda t: t | {"coverage": []},
        }
        for name, change in worded.items():
            yield c(f"coverage of a {kind} {name}", f"R17 {rule}", options={kind: change})
    yield c("coverage that the log says otherwise", "R22 R28", tweak=at("gamma", "imported", 0, put(coverage="all")))
    yield c("coverage that no table shows", "R22 R28", tweak=at("alpha", "imported", 0, put(coverage="some")))
    yield c("coverage that no log has", "R22 R28", tweak=at("epsilon", "imported", 0, without("coverage")))
    yield c("coverage of no word in a log", "R08", tweak=at("gamma", "imported", 0, put(coverage="most")))
    yield c("a table of no question", "R17", tweak=at("coordinator", "closed", 0, put(id=digest("q"))))
    yield c("a reason from before it was asked again", "", options={"more": missing("refused", "again", "NO_ANSWER")})
    yield c("that reason in the table", "R22", options={"more": missing("refused", "again", "DECLINED_BY_PERSON")})
    yield c(
        "a reason given when the table was closed",
        "",
        options={"more": missing("NO_ANSWER", "refused", "NO_ANSWER")},
    )
    yield c(
        "that reason in a later table",
        "R22",
        options={"more": missing("NO_ANSWER", "refused", "DECLINED_BY_PERSON")},
    )
    yield c(
        "a reason given when it was asked again",
        "",
        options={"more": missing("NO_ANSWER", "again", "refused", "DECLINED_BY_PERSON")},
    )
    yield c("a release when the table was closed", "", options={"more": released_late})
    yield c("a cell too few in a table", "R17 R22", options={"table": lambda t: t | {"cells": t["cells"][1:]}})
    yield c(
        "a published table is absent", "R17", with_region=blob_of("coordinator", "closed", "published", lambda d: None)
    )

    # Keys and rosters.
    yield c("another key in a genesis", "R24", tweak=at("alpha", "genesis", 0, put(witness=digest("w"))))
    yield c("another governance in a genesis", "R24", tweak=at("alpha", "genesis", 0, put(governance=digest("g"))))
    yield c("an epoch twice", "R24", tweak=at("alpha", "roster-approved", 1, lambda e: [e, e]))
    yield c("an epoch that is not the roster's", "R24", tweak=at("alpha", "roster-approved", 1, put(epoch=3)))

    # Rounds.
    yield c("looser terms", "R26", tweak=at("coordinator", "ready", 2, lambda e: e | {"terms": e["terms"] | {"j": 3}}))
    yield c(
        "a smaller chance was asked for",
        "R26",
        tweak=at("coordinator", "ready", 2, lambda e: e | {"terms": e["terms"] | {"eta": [1, 101]}}),
    )
    yield c("a retry without certificate", "R26", tweak=at("coordinator", "round-began", 1, without("certificate")))
    yield c("a first round with a certificate", "R26", tweak=at("coordinator", "round-began", 0, put(certificate="00")))
    yield c("a retry after no failure", "R26", tweak=at("coordinator", "round-failed", 0, drop))
    yield c(
        "a retry after a failure before inputs",
        "R26",
        tweak=at("coordinator", "round-failed", 0, put(inputs=False)),
    )
    yield c("the failure of another round", "R26", tweak=at("coordinator", "round-failed", 0, put(round=digest("r"))))
    yield c(
        "strict terms of a node that is not ready any more",
        "",
        tweak=at(
            "coordinator",
            "ready",
            3,
            lambda e: [
                e | {"terms": e["terms"] | {"j": 3}},
                {"type": "refused", "time": e["time"], "id": e["id"], "node": e["node"], "reason": "ROUND_LOOSER"},
            ],
        ),
    )
    yield c("a regional debit of another nonce", "R26", tweak=at("alpha", "debit", 2, put(nonce=digest("n"))))
    yield c("a regional debit of no round", "R26", tweak=at("alpha", "debit", 2, put(round=digest("r"))))
    yield c("a regional debit of another attempt", "R26", tweak=at("alpha", "debit", 2, put(attempt=1)))
    yield c("a regional debit in the round of another table", "R26", options={"more": debit_of_another})
    yield c("a carry of another nonce", "R26", tweak=at("alpha", "carry", 0, put(nonce=digest("n"))))
    yield c("a carry of no round", "R26", tweak=at("alpha", "carry", 0, put(round=digest("r"))))
    yield c("a carry into its own round", "R26", tweak=carried_back())
    yield c("a certificate of too few", "R26 R29", options={"erased": (0, 2)})
    yield c("a certificate of another session", "R29", options={"session": digest("other session")})
    yield c("an erasure's signature", "R26 R29", options={"bad_erasure": True})
    yield c("no masked input before the opening", "R29", tweak=at("alpha", "masked", 0, drop))
    yield c("a masked input of another round", "R29", tweak=at("alpha", "masked", 0, put(round=digest("r"))))
    yield c("a carry with an empty certificate", "R29", tweak=at("alpha", "carry", 0, put(certificate="")))
    yield c("a chunk hash of a masked input", "R28 R29", files=file_changed("/masked/00000", lambda d: flip(d, 50)))
    yield c(
        "the node dropped was not asked",
        "R10 R28",
        tweak=at("coordinator", "asked", 2, lambda e: e | {"nodes": [n for n in e["nodes"] if n != "delta"]}),
    )
    yield c("a regional table is absent", "R17", with_region=no_regional_table)
    yield c("a lower threshold in a regional table", "R28", options={"regional_table": lower_threshold})
    yield c("another opening", "R29", tweak=at("alpha", "release", 2, put(release=digest("m"))))
    yield c("another masked input in the log", "R29", tweak=at("alpha", "masked", 0, put(masked=digest("m"))))
    yield c(
        "a certificate at one node",
        "R29",
        tweak=at("alpha", "carry", 0, lambda e: e | {"certificate": flip_hex(e["certificate"], 100)}),
    )
    for name in ("adverts", "u2", "survivors", "confirmations", "masked/00000", "own/00000", "mask/00002"):
        yield c(
            f"a byte of {name}",
            "R28",
            files=file_changed(f"/{name}", lambda d: flip(d, len(d) - 40 if len(d) > 40 else len(d) - 1)),
        )
        yield c(f"no {name}", "R28", files=file_changed(f"/{name}", lambda d: None))
    yield c("three confirmations", "R28", files=file_changed("/confirmations", lambda d: d[:-66]))
    yield c(
        "both secrets of a node",
        "R28",
        files=lambda f: f | {n.replace("mask/00002", "own/00002"): d for n, d in f.items() if n.endswith("mask/00002")},
    )
    yield c("no round", "R28", files=lambda f: {n: d for n, d in f.items() if not n.startswith("rounds/")})
    yield c(
        "a cell too few in a regional table",
        "R17 R28",
        options={"regional_table": lambda t: t | {"cells": t["cells"][1:]}},
    )
    yield c(
        "such a table, and no round",
        "R17 R28",
        options={"regional_table": lambda t: t | {"cells": t["cells"][1:]}},
        files=lambda f: {n: d for n, d in f.items() if not n.startswith("rounds/")},
    )
    yield c("a regional figure", "R28", options={"regional_table": shown_higher})
    yield c("a regional figure under the threshold", "R16 R28", options={"regional_table": shown_low})
    yield c(
        "a round that never began",
        "R28",
        files=lambda f: {
            (f"rounds/{digest('r')}/{n.split('/', 2)[2]}" if n.startswith("rounds/") else n): d for n, d in f.items()
        },
    )


# --- running them ----------------------------------------------------------------------


def judge(how):
    """The rules that fail, and the report."""
    region = Region(how.get("tweak"), how.get("policy"), **how.get("options", {}))
    region.how = how
    region.play()
    files = region.files()
    if "files" in how:
        files = how["files"](files)
    if "with_region" in how:
        files = how["with_region"](files, region)
    meta = {"files": {name: sha(data) for name, data in files.items()}, "region": REGION, "v": 1}
    data = archive(files, meta=how.get("meta", dict)(meta), order=how.get("order", sorted))
    data = how.get("raw", bytes)(data)
    trust = f"governance {how.get('trust_governance', region.governance.hex)}\n" + how.get("trust", "")
    pins = how["pins"](region) if "pins" in how else None
    report = verify.verify(data, trust, pins, region.now + 10 + how.get("now", 0))
    return {one["rule"] for one in report["rules"] if one["verdict"] == "FAIL"}, report


def verdicts(report):
    return {one["rule"]: one["verdict"] for one in report["rules"]}


def run_cases():
    count, broken = 0, set()
    for name, rules, how in cases():
        found, report = judge(how)
        assert found == rules, f"{name}: {sorted(found)} failed, not {sorted(rules)}: {places(report)}"
        stumbled = [text for text in places(report) if "stumbled" in text]
        assert not stumbled, f"{name}: {stumbled}"
        assert verify.passed(report) == (not rules), f"{name}: passed or not"
        if "R01" in rules:
            others = {one["verdict"] for one in report["rules"][1:]}
            assert others == {"NOT CHECKABLE"}, f"{name}: something was checked behind R01"
        count, broken = count + 1, broken | rules
    never = {one["rule"] for one in report["rules"]} - broken
    assert never == {"R27"}, f"no case breaks {sorted(never)}"
    print(f"{count} cases judged as they must be; every rule but R27 broken at least once")


def places(report):
    return [f"{one['rule']} {text}" for one in report["rules"] for text in one["failures"]]


def run_trees():
    """Roots by the definition of RFC 6962, tiles as tlog-tiles counts them, and long paths."""

    def root(leaves):
        if len(leaves) < 2:
            return leaves[0] if leaves else tree.EMPTY
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return tree.node(root(leaves[:split]), root(leaves[split:]))

    leaves = [tree.leaf(str(i).encode()) for i in range(70_000)]
    sizes = [*range(40), 255, 256, 257, 511, 512, 513, 1000, 65_536, 70_000]
    found = tree.roots(leaves, sizes)
    assert all(found[size] == root(leaves[:size]) for size in sizes), "a root of a prefix"
    tiles = dict(tree.hash_tiles(leaves))
    assert len(tiles) == 273 + 1 + 1 + 1 + 1, f"{len(tiles)} tiles of 70,000 leaves"
    for path, width in (("0/272", 256), ("0/273.p/112", 112), ("1/000", 256), ("1/001.p/17", 17), ("2/000.p/1", 1)):
        assert len(tiles[f"tile/{path}"]) == 32 * width, path
    assert tiles["tile/2/000.p/1"] == root(leaves[:65_536]), "a tile of level 2"
    assert sorted(path for path, _ in tree.hash_tiles(leaves[:256])) == ["tile/0/000", "tile/1/000.p/1"]
    assert tree.number(1_234_067) == "x001/x234/067"
    long = f"logs/node-{'a' * 63}/tile/entries/x001/x234/067.p/255"
    assert len(long) > 100 and bytes(container.unpack(archive({long: b"x"}))[long]) == b"x", "a long path"
    print("roots, tiles and long paths: as their pages say")


def run_command():
    """The command's exit codes."""
    command = [sys.executable, str(pathlib.Path(verify.__file__))]
    region = Region().play()
    whole = archive(region.files())
    with tempfile.TemporaryDirectory() as folder:
        bundle, trust, pins = (pathlib.Path(folder) / name for name in ("bundle", "trust", "pins"))
        trust.write_text(region.trust(), encoding="ascii")
        pins.write_bytes(encode(pin("alpha", 7)(region)))

        def code(data, *more):
            bundle.write_bytes(data)
            return subprocess.run([*command, str(bundle), *more], capture_output=True, check=False)

        good = code(
            whole, "--trust", str(trust), "--pins", str(pins), "--now", str(region.now + 10), "--output", "json"
        )
        assert good.returncode == 0 and json.loads(good.stdout)["releases"] == 9, good
        assert code(whole, "--trust", str(trust)).returncode == 0, "without pins and now"
        assert code(whole, "--trust", str(trust), "--now", str(region.now + 9)).returncode == 5, "from the future"
        assert code(whole[:-1], "--trust", str(trust)).returncode == 5, "a cut bundle"
        assert code(whole).returncode == 2, "no trust"
        assert code(whole, "--trust", str(bundle)).returncode == 2, "a trust file that is none"
        assert code(whole, "--trust", str(trust), "--pins", str(trust)).returncode == 2, "pins that are none"
    print("exit codes: 0, 5 and 2")


def run_mutants():
    """Bundles and expectations as the first verifier's tests write them."""
    region = Region().play()
    good = archive(region.files())
    files = {f"m{i:03}": (b"", {"fails": ["R01"]}) for i in range(verify.LEAST_MUTANTS - 4)}
    pinned = encode(fork("alpha")(region)).decode()
    other = region.trust().replace(region.governance.hex, Key("someone").hex)
    files["sound"] = good, {"fails": [], "now": region.now + 10, "pins": None, "trust": region.trust()}
    files["later"] = good, {"fails": ["R04"], "now": region.now + 3 * DAY}
    files["pinned"] = good, {"fails": ["R06", "R07"], "pins": pinned}
    files["trusted"] = good, {"fails": ["R02"], "trust": other}

    def run(changes, without_tar=()):
        with tempfile.TemporaryDirectory() as folder:
            for name, (data, _) in files.items():
                if name not in without_tar:
                    (pathlib.Path(folder) / f"{name}.tar").write_bytes(data)
            expected = {name: one for name, (_, one) in files.items()} | changes
            expected = {name: one for name, one in expected.items() if one}
            (pathlib.Path(folder) / "expected.json").write_text(json.dumps(expected), encoding="ascii")
            (pathlib.Path(folder) / "trust.txt").write_text(region.trust(), encoding="ascii")
            command = [sys.executable, str(pathlib.Path(verify.__file__)), "--mutants", folder]
            done = subprocess.run(command, capture_output=True, check=False, text=True)
            return done.returncode, done.stdout

    code, text = run({})
    assert (code, text) == (0, "200 bundles, 0 judged otherwise\n"), (code, text)
    code, text = run({"sound": {"fails": ["R12"]}, "pinned": {"fails": ["R06"], "pins": pinned}})
    assert code == 5 and "sound: only here -, only there R12\n" in text, text
    assert "pinned: only here R07, only there -\n" in text and "R07  1 fail only here, 0 only there\n" in text, text
    assert "200 bundles, 2 judged otherwise" in text, text
    code, text = run({"m000": None}, without_tar=["m000"])
    assert code == 5 and "199 bundles, 0 judged otherwise" in text, "too few"
    assert run({}, without_tar=["m000"])[0] == 2 and run({"m000": None})[0] == 2, "a bundle or an expectation too few"
    assert run({"m000": {"fails": ["R99"]}})[0] == 2 and run({"m000": {"fail": []}})[0] == 2, "another form"
    print("200 bundles of the other verifier's form: compared")


def run_others():
    """Bundles of one node, bundles with nothing in them, and R27."""
    region = Region().play()
    trust, now = region.trust(), region.now + 10
    everything = verify.verify(archive(region.files()), trust, None, now)
    assert set(verdicts(everything).values()) == {"PASS"}, places(everything)
    assert (everything["releases"], everything["cells"]) == (9, 3 * 4 + 6 * 5 + 9), everything

    named = b"".join(region.logs["alpha"].entries).decode()
    own = region.files("alpha").items()
    own = {n: d for n, d in own if n.startswith("logs/") or n.removeprefix("blobs/") in named}
    report = verify.verify(archive(own), trust, None, now)
    assert verify.passed(report), places(report)
    idle = {rule for rule, verdict in verdicts(report).items() if verdict == "NOT CHECKABLE"}
    wanted = {"R06", "R10", "R18", "R20", "R21", "R22", "R26", "R28"}
    assert idle == wanted, f"of a node's own bundle {sorted(idle)} are not checkable"

    young = Region()
    young.begin()
    report = verify.verify(archive(young.files()), trust, None, young.now + 10)
    failed = {rule for rule, verdict in verdicts(report).items() if verdict == "FAIL"}
    assert failed == {"R27"} and not verify.passed(report), places(report)
    report = verify.verify(archive({}), trust, None, now)
    failed = {rule for rule, verdict in verdicts(report).items() if verdict == "FAIL"}
    assert failed == {"R27"}, places(report)
    broken = file_changed("node-beta/tile/0", lambda d: flip(d, 0))(region.files())
    report = verify.verify(archive(broken), trust, None, now)
    assert verdicts(report)["R05"] == "FAIL" and verdicts(report)["R21"] == "PASS", places(report)
    checked = {one["rule"]: one["checked"] for one in report["rules"]}
    whole = {one["rule"]: one["checked"] for one in everything["rules"]}
    assert checked["R21"] < whole["R21"], "the debits of a broken log were checked"
    print("a node's own bundle, a region without releases, an empty bundle and a broken log: as they must be")


def run_numbers():
    """Figures that docs/privacy.md and docs/secure-aggregation.md print."""

    def clients(sd, touched, kind="per_node"):
        """A clients table of which one client can touch so many cells."""
        needs = {} if touched == 1 else {"by": ["need"], "max_per_client": touched - 1}
        return Request(request(release=kind, variance=[sd * sd, 1], **needs))

    columns = (1, 2, 4, 6, 11)
    taus = {2: (16, 17, 17, 17, 17), 4: (27, 27, 28, 28, 28), 5: (32, 33, 33, 34, 34), 20: (110, 113, 115, 116, 119)}
    for sd, row in taus.items():
        assert tuple(clients(sd, d).tau(5, 10**11) for d in columns) == row, f"tau at sd {sd}"
    costs = {2: (2344, 4688, 9375, 14063, 25782), 5: (228, 456, 912, 1368, 2508), 20: (13, 26, 51, 76, 139)}
    for sd, row in costs.items():
        found = [clients(sd, d, "regional").cost(0)["nano_rho"] for d in columns]
        assert tuple(-(-x // 10**5) for x in found) == row, f"regional cost at sd {sd}"
    assert clients(3, 11).cost(7) == {"atto_delta": 7, "nano_rho": 611_111_112}, "a cost per organisation"
    events = Request(request(measure="events", max_events=12, by=["need"], max_per_client=5, variance=[25, 1]))
    assert events.vectors[1] == (12, 72, 864, 3600) and events.layout()[1][0] == 64, "the second vector of events"
    assert events.cost(7) == {"atto_delta": 7, "nano_rho": 240_000_000}, "events cost twice their clients"
    value, low, high = tables.per_client(250, 100, 1, 5.0, 4)
    assert value == 2500 and 2050 < low < 2065 and 2975 < high < 3000, "events per client"
    assert tables.per_client(250, 24, 1, 5.0, 4) is None, "clients under five standard deviations"
    present = Fraction(25 * 12, 9)
    assert tables.least_margin(present, Fraction(1, 8400)) == 22, "z of the demo"
    assert tables.least_margin(Fraction(25 * 11, 9), Fraction(1, 8400)) == 22, "z of the demo less a node"
    numbers = {5: (1, 4, 4, 3), 6: (1, 4, 5, 4), 12: (2, 8, 11, 9), 66: (13, 40, 60, 47), 500: (100, 301, 450, 350)}
    for n, row in numbers.items():
        q = Quorum(n, 0)
        assert (q.c, q.t, q.u_min, q.h) == row and q.sound, f"the numbers of {n} nodes"
    assert not Quorum(4, 0).sound and not Quorum(5, 2).sound and not Quorum(501, 0).sound, "no quorum"
    assert question.half_width(Fraction(16), 1) == 8 and question.half_width_of_draw(Fraction(100)) == 20
    earlier, newest = list(question.codebooks())[0], codebook()[0]
    assert earlier != newest and Request(request(codebook=earlier)).id != Request(request()).id
    assert Requests().read(request(by=["household"])), "a dimension of the newest codebook"
    assert not Requests().read(request(by=["household"], codebook=earlier)), "which the earlier has not"
    assert not Requests().read(request(codebook="00" * 32)), "a codebook that nobody knows"
    cells = Request(request(by=["need", "sex"], max_per_client=2))
    assert cells.codes(0) == {"need": codebook()[1]["need"][1][0], "sex": codebook()[1]["sex"][1][0]}
    assert cells.codes(cells.stride - 1)["need"] == "ANY" and cells.any_of(0) == cells.stride - 1
    assert tables.rounded(2.5) == 3 and tables.rounded(-2.5) == -3 and tables.rounded(-2.4) == -2
    # A sum of 30 over 50 clients, a score of 0 to 10, sd 2.
    value, low, high = tables.mean(50, 30, 1, 2.0, (0, 10))
    assert value == 5300 and low < 5300 - 190 and high > 5300 + 190, (value, low, high)
    assert tables.mean(9, 30, 1, 2.0, (0, 10)) is None, "a count under five standard deviations"
    print("figures of the pages: the same")


def run_parts():
    """Specifications, certificates and sets that are none, one by one."""

    def refused(call, *what):
        try:
            call(*what)
        except verify.Bad:
            return
        raise AssertionError(f"{call.__name__} takes {what!r:.300}")

    region = Region().play()
    named = next(
        json.loads(e)["roster"] for e in reversed(region.logs["coordinator"].entries) if b'"type":"roster"' in e
    )
    roster = question.Roster(region.blobs[named])
    began = [json.loads(e) for e in region.logs["coordinator"].entries if b'"type":"round-began"' in e]
    for one in began:
        spec = one["spec"]
        regional.check_spec(spec, roster)
        times = spec["deadlines"]
        for name, value in (
            ("attempt", 1 - spec["attempt"]),
            ("attempt", bool(spec["attempt"])),
            ("c", 2),
            ("epoch", 1),
            ("h", 2),
            ("n", 6),
            ("roster", digest("r")),
            ("t", 3),
            ("u_min", 5),
            ("v", 2),
            ("nonce", "x"),
            ("eta", [2, 3]),
            ("eta", [0, 1]),
            ("eta", [1]),
            ("j", 0),
            ("j", 101),
            ("k", 2),
            ("deadlines", times[:4]),
            ("deadlines", times[::-1]),
            ("deadlines", [*times[:4], times[3]]),
            ("deadlines", "x"),
            ("more", 1),
        ):
            refused(regional.check_spec, spec | {name: value}, roster)
        for name in spec:
            refused(regional.check_spec, without(name)(spec), roster)
    refused(regional.check_spec, began[1]["spec"] | {"previous": 1}, roster)
    proof = bytes.fromhex(began[1]["certificate"])
    assert regional.certificate(proof, roster) == digest("first session"), "a session"
    parts = [proof[34 + 66 * i : 100 + 66 * i] for i in range(3)]
    refused(regional.certificate, proof[:33], roster)
    refused(regional.certificate, proof[:-1], roster)
    refused(regional.certificate, proof + b"x", roster)
    refused(regional.certificate, proof[:34] + parts[1] + parts[0] + parts[2], roster)
    refused(regional.certificate, proof[:34] + parts[0] + parts[1] + parts[1], roster)
    refused(regional.certificate, proof[:33] + b"\4" + b"".join(parts) + b"\0\5" + bytes(64), roster)
    assert regional.members(b"\0\1\0\4", range(5)) == [1, 4], "a set"
    for data in (b"\0\1\0", b"\0\4\0\1", b"\0\1\0\1", b"\0\5"):
        refused(regional.members, data, range(5))
    print("specifications, certificates and sets that are none: refused")


def run_trust():
    """Trust files and pins that are none."""
    good = f"governance {'0' * 64}\n"
    for text in (
        "",
        "governance 12\n",
        good + good,
        good + "quorum w\n",
        good + "what is this\n",
        good + "witness none x\n",
        good + f"witness w {vkey('w', OUTSIDE, 1)}\n",
        good + f"witness w {vkey('w', OUTSIDE)[:-4]}AAA=\n",
        good + "group g any\n",
        good + WITNESS + "quorum none\n",
        good + "\r\n",
        good + f"witness w {vkey('w', OUTSIDE)}\ngroup g 2 w\n",
        good + f"witness w {vkey('w', OUTSIDE)}\nwitness v {vkey('v', OUTSIDE)}\n",
        good + f"witness w {vkey('w', OUTSIDE)}\ngroup g any w\ngroup f any w\n",
    ):
        try:
            verify.verify(b"", text)
        except verify.Bad:
            continue
        raise AssertionError(f"taken for a trust file: {text!r}")
    for text in ("[]", "{}\n", '{"x":[1]}', '{"x":[1,"00"]}', '{"x":[-1,"' + "0" * 64 + '"]}'):
        try:
            verify.verify(b"", good, pins=text)
        except verify.Bad:
            continue
        raise AssertionError(f"taken for pins: {text!r}")
    members = [Key(f"w{i}") for i in range(3)]
    lines = "".join(f"witness w{i} {vkey(f'w{i}.example', key)}\n" for i, key in enumerate(members))
    trust = verify.Trust(good + lines + "group g 2 w0 w1 w2\nquorum g\n")
    pairs = [(f"w{i}.example", key.public) for i, key in enumerate(members)]
    assert trust.satisfied(set(pairs[:2])) and not trust.satisfied(set(pairs[:1])), "a group of two"
    assert not trust.satisfied({pairs[0], ("w1.example", members[2].public)}), "another's key"
    print("trust files and pins that are none: refused")


ODD = [None, -1, 0, 1 << 53, 10**40, 1.5, True, "", "x", "\x7f", "\u00e4", "0" * 64, [], {}, [[]], {"": 1}, [0], [1, 2]]


def run_fuzz(count):
    """Odd values anywhere in an entry or blob, and bytes anywhere in the archive."""
    draw = random.Random(1)
    region = Region().play()
    files = region.files()
    whole = archive(files)
    sizes = {name: len(log.entries) for name, log in region.logs.items()}

    def spoil(value):
        """Puts something odd in a random place."""
        inner = [value]
        path = value
        while isinstance(path, (dict, list)) and path and draw.random() < 0.8:
            key = draw.choice(list(path) if isinstance(path, dict) else range(len(path)))
            inner, path = (path, key), path[key]
        if isinstance(inner, tuple):
            inner[0][inner[1]] = draw.choice(ODD)
        return value

    for turn in range(count):
        kind = turn % 4
        trust, now = region.trust(), region.now + 10
        if kind == 0:  # an entry, before it is signed
            name = draw.choice(list(sizes))
            left = [draw.randrange(sizes[name])]

            def tweak(log, entry, name=name, left=left):
                if log == name:
                    left[0] -= 1
                    if left[0] == -1:
                        entry = spoil(entry)
                        return json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
                return entry

            data = archive(Region(tweak).play().files())
        elif kind == 1:  # a blob that is JSON, under its new hash everywhere
            name = draw.choice([n for n in files if n.startswith("blobs/") and files[n][:1] == b"{"])
            new = json.dumps(spoil(json.loads(files[name])), sort_keys=True, separators=(",", ":")).encode()
            old_hash, new_hash = name.removeprefix("blobs/"), sha(new)

            def renamed(_log, entry, old=old_hash, new=new_hash):
                return json.loads(json.dumps(entry).replace(old, new))

            other = Region(renamed).play().files()
            data = archive({n: d for n, d in other.items() if n != name} | {f"blobs/{new_hash}": new})
        elif kind == 2:  # a file of a log or round, cut or with a byte changed
            name = draw.choice([n for n in files if not n.startswith("blobs/")])
            new = files[name]
            if new:
                where = draw.randrange(len(new))
                new = draw.choice([new[:where], flip(new, where), new + new[:where], b""])
            data = archive(files | {name: new})
        else:
            where = draw.randrange(len(whole))
            data = draw.choice([flip(whole, where), whole[:where], whole[where:] + whole[:where]])
        report = verify.verify(data, trust, None, now)
        stumbled = [text for text in places(report) if "stumbled" in text]
        assert not stumbled, f"fuzz {turn}: {stumbled}"
        if kind == 3:
            assert verdicts(report)["R01"] == "FAIL" or data == whole, f"fuzz {turn}: a byte of the archive"
    print(f"{count} spoilt bundles: no stumbling")


def run_speed(releases):
    """How long a bundle of so many releases of 60 cells takes."""
    region = Region(policy_changes={"allowance": {"nano_rho_per_period": 10**10, "atto_delta_per_period": 10**15}})
    region.begin()
    by_five = request(
        by=["age_group", "need"],
        max_per_client=2,
        where={"age_group": codebook()[1]["age_group"][1][:6], "need": codebook()[1]["need"][1][:9]},
    )
    assert Request(by_five).total == 60
    done, turn = 0, 0
    for name in NODES:
        for first in range(8, 8 + releases // 5, 900):
            more = [digest(f"{name} seed {i}") for i in range(first, first + 900)]
            region.append(name, "seeds", commitments=more, first=first)
    start = time.time()
    while done < releases:
        asked = region.ask(by_five | {"variance": [10_000 + turn, 1]}, NODES)
        for name in NODES:
            region.answer(name, asked)
            done += 1
        region.close(asked["request"]["request"], {})
        turn += 1
    data = archive(region.files())
    print(f"{done} releases, {len(data) >> 20} MiB, made in {time.time() - start:.0f} s")
    start = time.time()
    report = verify.verify(data, region.trust(), None, region.now + 10)
    verify.show(report)
    print(f"verified in {time.time() - start:.1f} s")


def main():
    parser = argparse.ArgumentParser(description="The self-test of the twin verifier.")
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path)
    parser.add_argument("--speed", metavar="N", type=int)
    parser.add_argument("--fuzz", metavar="N", type=int, default=200)
    options = parser.parse_args()
    if options.write:
        region = Region().play()
        options.write.write_bytes(archive(region.files()))
        options.write.with_name(options.write.name + ".trust").write_text(region.trust(), encoding="ascii")
    elif options.speed:
        run_speed(options.speed)
    else:
        try:
            run_cases()
            run_numbers()
            run_trees()
            run_command()
            run_mutants()
            run_parts()
            run_others()
            run_trust()
            run_fuzz(options.fuzz)
        except AssertionError as error:
            print(f"evidence_selftest.py: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
