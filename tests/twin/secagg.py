#!/usr/bin/env python3
"""A second implementation of Koonti's secure sum, byte for byte.

Written from `docs/secagg-format.md` alone, not from any code. It plays every node
and the coordinator of one frozen round from their inputs (identity seeds, random
bytes, values, who is in which set), then opens the sum as the coordinator does:
from the messages only, never from a node's secrets.

    secagg.py FIXTURE.json   derives every message again; exit 1 at the first difference
    secagg.py --self-test    rounds of its own: sums opened, altered messages noticed
    secagg.py --write FILE   writes a fixture of n = 5, the same bytes every time

Python 3.11 or later and the `cryptography` package. Without that package it says so
and exits 0, but 1 under CI=true.
"""

import argparse
import hashlib
import hmac
import io
import itertools
import json
import os
import pathlib
import struct
import sys

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    print("secagg.py: the Python package `cryptography` is absent, nothing checked")
    sys.exit(1 if os.environ.get("CI") == "true" else 0)

L = 2**252 + 27742317777372353535851937790883648493
CHUNK = 1 << 20
WORD = {32: "I", 64: "Q"}
HEAD, ADVERT, ENTRY = 33, 178, 146  # kind and round; what follows in an Advert; an entry


class Difference(Exception):
    """Something is not as the page has it; the message names it."""


def need(holds, message):
    if not holds:
        raise Difference(message)


# --- notation -----------------------------------------------------------------


def uint(size, x):
    return x.to_bytes(size, "big")


def number(data):
    return int.from_bytes(data, "big")


def place(*nodes):
    return b"".join(uint(2, p) for p in nodes)


def scalar(x):
    return x.to_bytes(32, "little")


def pack(*parts):
    return b"".join(uint(4, len(p)) + p for p in parts)


def label(name):
    return f"koonti/v1/{name}".encode("ascii")


def H(name, *parts):
    return hashlib.sha256(pack(label(name), *parts)).digest()


def KDF(salt, ikm, name, *info):
    prk = hmac.digest(salt, ikm, "sha256")
    return hmac.digest(prk, pack(label(name), *info) + b"\x01", "sha256")


def sign(seed, name, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(label(name) + b"\0" + message)


def public(sk):
    return X25519PrivateKey.from_private_bytes(sk).public_key().public_bytes_raw()


def x25519(sk, pk):
    """Raises ValueError when the result is all zeros."""
    return X25519PrivateKey.from_private_bytes(sk).exchange(X25519PublicKey.from_public_bytes(pk))


def slices(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def signed(x, bits):
    return (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def interpolate(points, at=0):
    """The value at `at` of the polynomial through the points, modulo l."""
    total = 0
    for x, y in points.items():
        for other in points.keys() - {x}:
            y = y * (at - other) * pow(x - other, -1, L) % L
        total += y
    return total % L


def stream(u2h, seed, w, bits, offset, size):
    """`size` bytes of a mask stream from `offset` on."""
    cipher = AESGCM(KDF(u2h, seed, "secagg/stream", uint(4, w), uint(1, bits)))
    found, first, end = b"", offset // CHUNK, offset + size
    for j in range(first, -(-end // CHUNK)):
        zeros = bytes(min(CHUNK, end - j * CHUNK))
        found += cipher.encrypt(uint(4, 0) + uint(8, j), zeros, None)[:-16]
    return found[offset - first * CHUNK :]


# --- what every party knows ---------------------------------------------------


class Round:
    """The specification, held against the formulas, and the sets; then the session's digests."""

    def __init__(self, doc):
        spec = json.loads(doc["spec"])
        canonical = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        need(canonical == doc["spec"], "spec: not canonical JSON")
        self.id = hashlib.sha256(canonical.encode()).digest()
        self.roster, self.layout = bytes.fromhex(spec["roster"]), doc["layout"]
        n, c, t = spec["n"], spec["c"], spec["t"]
        u_min = max((n + c) // 2 + 1, n - max(1, n // 10))
        derived = {"n": len(doc["identity_seeds"]), "t": (n + c) // 2 + 1}
        for name, value in (derived | {"u_min": u_min, "h": u_min - c, "v": 1}).items():
            need(spec[name] == value, f"spec: {name} is {spec[name]}, it should be {value}")
        need(c >= max(1, n // 5), f"spec: c is {c}, below its formula")
        need(5 <= n <= 500 and t <= n and t - c >= 3, f"spec: no region with n {n}, c {c}, t {t}")
        times = spec["deadlines"]
        need(len(times) == 5 and times == sorted(set(times)), "spec: deadlines")
        need((spec["attempt"], "previous" in spec) in ((0, False), (1, True)), "spec: attempt")
        need(all(bits in WORD for bits, _ in self.layout), "layout: rings of 32 and 64 bits only")
        self.n, self.t, outer = n, t, range(n)
        for name, least in {"u1": u_min, "u2": u_min, "u3": u_min, "unmaskers": t}.items():
            inner = doc[name]
            need(inner == sorted(set(inner) & set(outer)), f"{name}: not an ascending subset")
            need(len(inner) >= least, f"{name}: {len(inner)} nodes, at least {least} needed")
            outer = inner
        self.u1, self.u2, self.u3 = doc["u1"], doc["u2"], doc["u3"]
        self.dropped = [u for u in self.u2 if u not in self.u3]

    def message(self, kind, *parts):
        return (bytes([kind]) + self.id + b"".join(parts)).hex()

    def open_session(self, adverts):
        """From what follows the round in each advert of U1."""
        self.adverts = dict(zip(self.u1, adverts))
        self.keys = {p: (advert[2:34], advert[34:66]) for p, advert in self.adverts.items()}
        need(len(set(sum(self.keys.values(), ()))) == 2 * len(self.u1), "adverts: a key twice")
        bare = b"".join(self.id + advert[:-64] for advert in adverts)
        self.sid = H("secagg/session", self.id, self.roster, bare)
        self.u2h = H("secagg/u2", self.sid, place(*self.u2))
        self.u3h = H("secagg/u3", self.sid, self.u2h, place(*self.u3))

    def mask_sk(self, p, sigma_m):
        return KDF(self.id, scalar(sigma_m), "secagg/mask-key", place(p))

    def self_commitment(self, p, sigma_b):
        return H("secagg/self-commitment", self.id, place(p), scalar(sigma_b))

    def commitments(self, u, v, m, b):
        pairs, ends = ((b"mask", m), (b"self", b)), (place(u), place(v))
        return b"".join(
            H("secagg/share-commitment", self.sid, name, *ends, scalar(x)) for name, x in pairs
        )

    def share_box(self, u, v, shared, both):
        aad = pack(label("secagg/share"), self.sid, place(u), place(v), both[:32], both[32:])
        return AESGCM(KDF(self.sid, shared, "secagg/share-key", place(u), place(v))), aad

    def add_masks(self, totals, factor, p, sigma_b=None, mask_sk=None, others=()):
        """Adds, factor times, the streams in node p's y: its own, and those with others."""
        seeds = {}
        if sigma_b is not None:
            seeds[KDF(self.sid, scalar(sigma_b), "secagg/self", self.u2h, place(p))] = factor
        for v in others:
            ends = place(min(p, v)), place(max(p, v))
            shared = x25519(mask_sk, self.keys[v][0])
            seed = KDF(self.sid, shared, "secagg/pair", self.u2h, *ends)
            seeds[seed] = factor if v > p else -factor
        for seed, sign_ in seeds.items():
            self.add_words(totals, sign_, lambda *at: stream(self.u2h, seed, *at))

    def add_words(self, totals, factor, data_of):
        for w, (bits, cells) in enumerate(self.layout):
            data = data_of(w, bits, 0, cells * bits // 8)
            words = struct.unpack(f"<{cells}{WORD[bits]}", data)
            totals[w] = [total + factor * word for total, word in zip(totals[w], words)]


# --- a node -------------------------------------------------------------------


class Node:
    def __init__(self, r, p, seed, random):
        self.r, self.place, self.seed = r, p, seed
        drawn = [int.from_bytes(x, "little") % L for x in slices(random[:128] + random[176:], 64)]
        self.sigma_m, self.sigma_b, self.coefficients = drawn[0], drawn[1], drawn[2:]
        self.enc_sk, self.mask_sk = random[128:160], r.mask_sk(p, self.sigma_m)
        body = place(p) + public(self.mask_sk) + public(self.enc_sk)
        body += r.self_commitment(p, self.sigma_b) + random[160:176]
        self.advert = body + sign(seed, "advert", r.id + body)

    def deal(self):
        """What follows the round in Shares."""
        own, entries, k = b"", b"", self.r.t - 1
        f = [self.sigma_m, *self.coefficients[:k]], [self.sigma_b, *self.coefficients[k:]]
        for v in self.r.u1:
            m, b = (sum(a * (v + 1) ** i for i, a in enumerate(one)) % L for one in f)
            both = self.r.commitments(self.place, v, m, b)
            if v == self.place:
                self.held, own = {v: (m, b)}, both
                continue
            shared = x25519(self.enc_sk, self.r.keys[v][1])
            cipher, aad = self.r.share_box(self.place, v, shared, both)
            entries += place(v) + cipher.encrypt(bytes(12), scalar(m) + scalar(b), aad) + both
        body = self.r.sid + own + entries
        return body + sign(self.seed, "shares", self.r.id + body)

    def receive(self, entries):
        for entry in entries:
            u, both = number(entry[:2]), entry[82:]
            shared = x25519(self.enc_sk, self.r.keys[u][1])
            cipher, aad = self.r.share_box(u, self.place, shared, both)
            plain = cipher.decrypt(bytes(12), entry[2:82], aad)
            m, b = (int.from_bytes(x, "little") for x in slices(plain, 32))
            holds = m < L and b < L and self.r.commitments(u, self.place, m, b) == both
            need(holds, f"inbox of node {self.place}: the entry of node {u}")
            self.held[u] = m, b

    def mask(self, values):
        """y, and what follows the round in Masked."""
        fits = [len(x) for x in values] == [cells for _, cells in self.r.layout]
        need(fits, f"values of node {self.place}: not of the layout")
        totals = list(values)
        others = [v for v in self.r.u2 if v != self.place]
        self.r.add_masks(totals, 1, self.place, self.sigma_b, self.mask_sk, others)
        y = b"".join(
            (x % (1 << bits)).to_bytes(bits // 8, "little")
            for vector, (bits, _) in zip(totals, self.r.layout)
            for x in vector
        )
        size = uint(8, len(y))
        hashes = b"".join(hashlib.sha256(chunk).digest() for chunk in slices(y, CHUNK))
        message = self.r.id + self.r.u2h + size + hashlib.sha256(hashes).digest()
        return y, size + hashes + sign(self.seed, "masked", message)

    def unmask(self):
        """What follows the round in Unmask."""
        u3, dropped = self.r.u3, self.r.dropped
        selves = b"".join(place(u) + scalar(self.held[u][1]) for u in u3)
        masks = b"".join(place(u) + scalar(self.held[u][0]) for u in dropped)
        return place(len(u3)) + selves + place(len(dropped)) + masks


# --- every message, from the inputs -------------------------------------------


def derive(given):
    """The whole fixture, from the inputs in it."""
    r = Round(given)
    seeds = [bytes.fromhex(seed) for seed in given["identity_seeds"]]
    nodes, made, sizes = {}, {}, (0, 176, 176 + 128 * (r.t - 1))
    for one in given["nodes"]:
        p, random = one["place"], bytes.fromhex(one["random"])
        need(p in range(r.n) and p not in made, f"node {p}: unknown or twice")
        fits = len(random) in sizes[2 if p in r.u2 else 1 if p in r.u1 else 0 :]
        need(fits, f"random of node {p}: {len(random)} bytes")
        need("values" in one or p not in r.u3, f"values of node {p}: absent")
        made[p] = {key: one[key] for key in ("place", "random", "values") if key in one}
        if random:
            nodes[p] = Node(r, p, seeds[p], random)
            made[p]["advert"] = r.message(0x11, nodes[p].advert)
    need(set(r.u1) <= nodes.keys(), "nodes: one of u1 is absent")
    adverts = [nodes[p].advert for p in r.u1]
    r.open_session(adverts)
    for p in r.u1:
        made[p]["erased"] = r.message(0x17, sign(seeds[p], "abort", r.sid))
    entries, inboxes, confirmed = {}, {}, b""
    for u in r.u1:
        if nodes[u].coefficients:
            shares = nodes[u].deal()
            made[u]["shares"] = r.message(0x12, shares)
            others = [v for v in r.u1 if v != u]
            entries[u] = dict(zip(others, slices(shares[96:-64], ENTRY)))
    for v in r.u2:
        inbox = [place(u) + entries[u][v][2:] for u in r.u2 if u != v]
        inboxes[str(v)] = r.message(0x03, place(len(r.u2)), place(*r.u2), *inbox)
        nodes[v].receive(inbox)
        if "values" in made[v]:
            y, masked = nodes[v].mask(made[v]["values"])
            pieces = enumerate(slices(y, CHUNK))
            made[v]["masked"] = r.message(0x13, masked)
            made[v]["chunks"] = [r.message(0x14, uint(4, i), piece) for i, piece in pieces]
    for v in r.u3:
        signature = sign(seeds[v], "u3", r.id + r.u3h)
        confirmed += place(v) + signature
        made[v]["confirm"] = r.message(0x15, signature)
        made[v]["unmask"] = r.message(0x16, nodes[v].unmask())
    vectors = [zip(*(made[v]["values"][w] for v in r.u3)) for w in range(len(r.layout))]
    streams = []
    for one in given["streams"]:
        at = one["w"], one["bits"], one["offset"], len(one["bytes"]) // 2
        found = stream(bytes.fromhex(one["u2h"]), bytes.fromhex(one["seed"]), *at)
        streams.append(one | {"bytes": found.hex()})
    kept = ("spec", "identity_seeds", "layout", "u1", "u2", "u3", "unmaskers")
    return {key: given[key] for key in kept} | {
        "nodes": list(made.values()),
        "adverts": r.message(0x02, *adverts),
        "inboxes": inboxes,
        "survivors": r.message(0x04, place(*r.u3)),
        "confirmations": r.message(0x05, confirmed),
        "sums": [[signed(sum(x), bits) for x in xs] for xs, (bits, _) in zip(vectors, r.layout)],
        "streams": streams,
    }


# --- the sum, from the messages -----------------------------------------------


def open_sum(doc):
    """The sums, how many secrets were opened, and how many spare shares agree with them."""
    r, totals = Round(doc), [[0] * cells for _, cells in doc["layout"]]
    sent = {one["place"]: one for one in doc["nodes"]}
    r.open_session(slices(bytes.fromhex(doc["adverts"])[HEAD:], ADVERT))
    committed, points = {}, {}
    for u in r.u2:
        shares = bytes.fromhex(sent[u]["shares"])[HEAD + 32 : -64]
        entries = [place(u) + bytes(80) + shares[:64], *slices(shares[64:], ENTRY)]
        committed |= {(u, number(entry[:2])): entry[82:] for entry in entries}
    for v in doc["unmaskers"]:
        rest = bytes.fromhex(sent[v]["unmask"])[HEAD:]
        for half in (slice(32, 64), slice(0, 32)):  # shares of sigma_b, then of sigma_m
            size = 34 * number(rest[:2])
            for one in slices(rest[2 : 2 + size], 34):
                u, share = number(one[:2]), int.from_bytes(one[2:], "little")
                same = r.commitments(u, v, share, share)[half] == committed[u, v][half]
                need(share < L and same, f"unmask of node {v}: the share of node {u}")
                points.setdefault((u, half.start == 32), {})[v + 1] = share
            rest = rest[2 + size :]
    for u in r.u3:
        y = io.BytesIO(b"".join(bytes.fromhex(chunk)[HEAD + 4 :] for chunk in sent[u]["chunks"]))
        r.add_words(totals, 1, lambda w, bits, offset, size: y.read(size))
    wanted = {(u, True) for u in r.u3} | {(u, False) for u in r.dropped}
    need(points.keys() == wanted, "unmask: not the shares asked for")
    spare = 0
    for (u, survived), shares in points.items():
        first = dict(sorted(shares.items())[: r.t])
        # Any t shares open the same if the polynomial of the first t gives each of the others.
        for x in shares.keys() - first.keys():
            need(interpolate(first, x) == shares[x], f"unmask of node {x - 1}: secret of {u}")
            spare += 1
        secret = interpolate(first)
        if survived:
            need(r.self_commitment(u, secret) == r.adverts[u][66:98], f"sigma_b of node {u}")
            r.add_masks(totals, -1, u, sigma_b=secret)
        else:  # the others' y hold these streams with the opposite sign
            need(public(r.mask_sk(u, secret)) == r.keys[u][0], f"sigma_m of node {u}")
            r.add_masks(totals, 1, u, mask_sk=r.mask_sk(u, secret), others=r.u3)
    sums = [[signed(x, bits) for x in xs] for xs, (bits, _) in zip(totals, r.layout)]
    return sums, len(points), spare


# --- the comparison -----------------------------------------------------------

# In the order of the round; for what a node sends, the set whose members must have it.
GROUPS = {"advert": "u1", "adverts": None, "shares": "u2", "inboxes": None, "masked": "u3"}
GROUPS |= {"chunks": "u3", "survivors": None, "confirm": "u3", "confirmations": None}
GROUPS |= {"unmask": "unmaskers", "erased": "", "streams": None}


def members(doc, group):
    if GROUPS[group] is not None:
        return {f"{group} of node {x['place']}": x[group] for x in doc["nodes"] if group in x}
    if group == "inboxes":
        return {f"inbox of node {p}": inbox for p, inbox in doc[group].items()}
    if group == "streams":
        return {f"streams[{i}].bytes": one["bytes"] for i, one in enumerate(doc[group])}
    return {group: doc[group]}


def equal(name, given, found):
    if given != found and isinstance(given, str):
        same = len(os.path.commonprefix([given, found])) // 2
        raise Difference(f"{name}: differs from byte {same} on")
    need(given == found, f"{name}: differs")


def check(given, say=print):
    """Raises at the first difference between a fixture and what its inputs give."""
    found = derive(given)
    unknown = given.keys() ^ found.keys()
    for one in given["nodes"]:
        unknown |= one.keys() - GROUPS.keys() - {"place", "random", "values"}
    need(not unknown, f"fixture: {sorted(unknown)} missing or unknown")
    for group, must in GROUPS.items():
        theirs, ours = members(given, group), members(found, group)
        needed = ours if must is None else [f"{group} of node {p}" for p in given.get(must, [])]
        for name in (*theirs, *needed):
            need(name in theirs, f"{name}: absent")
            need(name in ours, f"{name}: the node does not get so far")
            equal(name, theirs[name], ours[name])
        say(f"{group} {len(theirs)} of {len(theirs)}")
    sums, secrets, spare = open_sum(given)
    say(f"secrets opened {secrets} of {secrets}")
    say(f"shares beyond the first t that open the same {spare} of {spare}")
    equal("sums (against the plain sum of values over u3)", given["sums"], found["sums"])
    equal("sums (against what the messages open to)", given["sums"], sums)
    say(f"sums {len(sums)} of {len(sums)}")


# --- rounds of its own --------------------------------------------------------


def fixed(name):
    """Pseudo-random bytes, the same every time."""
    count = itertools.count()
    return lambda size: hashlib.shake_256(name + uint(8, next(count))).digest(size)


def fixture(draw, n, layout, u2, u3, unmaskers, absent=()):
    c = max(1, n // 5)
    t = (n + c) // 2 + 1
    u_min = max(t, n - max(1, n // 10))
    spec = {"v": 1, "n": n, "c": c, "t": t, "u_min": u_min, "h": u_min - c, "attempt": 0}
    spec |= {"deadlines": [1770000060 + 60 * i for i in range(5)], "epoch": 1, "eta": [1, 100]}
    spec |= {name: draw(32).hex() for name in ("nonce", "request", "roster")} | {"j": 2, "k": 5}
    doc = {
        "spec": json.dumps(spec, sort_keys=True, separators=(",", ":")),
        "identity_seeds": [draw(32).hex() for _ in range(n)],
    }
    doc |= {"layout": layout, "u1": [p for p in range(n) if p not in absent], "u2": u2, "u3": u3}
    doc |= {"unmaskers": unmaskers, "nodes": [], "streams": []}
    for p in range(n):
        size = 176 + 128 * (t - 1) if p in u2 else 0 if p in absent else 176
        doc["nodes"].append({"place": p, "random": draw(size).hex()})
        if p in u2:  # values of 8 bits less than the ring: a sum of 100 does not go round
            drawn = [(b, slices(draw((b // 8 - 1) * cells), b // 8 - 1)) for b, cells in layout]
            doc["nodes"][p]["values"] = [[signed(number(x), b - 8) for x in xs] for b, xs in drawn]
    pieces = (0, 32, 0, 40), (1, 64, CHUNK - 9, 18), (0, 32, CHUNK, 8), (3, 64, 2 * CHUNK - 4, 9)
    for w, bits, offset, size in pieces:
        piece = {"u2h": draw(32).hex(), "seed": draw(32).hex(), "w": w, "bits": bits}
        doc["streams"].append(piece | {"offset": offset, "bytes": bytes(size).hex()})
    return derive(doc)


def small(draw):
    return fixture(draw, 5, [[32, 7], [64, 3]], [0, 1, 2, 3, 4], [0, 1, 3, 4], [0, 1, 3, 4])


def self_test():
    doc, count = small(os.urandom), 0
    check(doc)
    for group in GROUPS:
        for name, message in members(doc, group).items():
            message = message if isinstance(message, str) else message[0]
            at = len(message) // 2
            wrong = message[:at] + f"{int(message[at], 16) ^ 1:x}" + message[at + 1 :]
            other = json.loads(json.dumps(doc).replace(message, wrong, 1))
            try:
                check(other, say=lambda line: None)
            except Difference:
                count += 1
            else:
                raise Difference(f"self-test: {name} altered and not noticed")
    print(f"altered messages noticed {count} of {count}")
    print("n = 30, t = 19: one without advert, one without shares, one dropped, 21 unmask")
    u2 = [p for p in range(30) if p not in (4, 17)]
    u3 = [p for p in u2 if p != 9]
    check(fixture(os.urandom, 30, [[32, 3], [64, 2], [32, 0]], u2, u3, u3[2:23], absent=[4]))
    print("n = 5: nobody dropped, 5 unmask where t is 4, more than one chunk")
    all5 = [0, 1, 2, 3, 4]
    check(fixture(os.urandom, 5, [[32, CHUNK // 4 + 3], [64, 5]], all5, all5, all5))


def main():
    parser = argparse.ArgumentParser(description="The twin of Koonti's secure sum.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("fixture", nargs="?", type=pathlib.Path)
    action.add_argument("--self-test", action="store_true")
    action.add_argument("--write", metavar="FILE", type=pathlib.Path)
    options = parser.parse_args()
    try:
        if options.self_test:
            self_test()
        elif options.write:
            doc = small(fixed(b"koonti secagg twin"))
            options.write.write_text(json.dumps(doc, indent=1) + "\n", encoding="ascii")
        else:
            check(json.loads(options.fixture.read_text(encoding="utf-8")))
    except Difference as difference:
        print(f"secagg.py: {difference}", file=sys.stderr)
        return 1
    except (KeyError, TypeError, ValueError, struct.error) as error:
        print(f"secagg.py: malformed: {error!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
