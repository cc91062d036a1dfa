"""Opened rounds and certificates (docs/secagg-format.md)."""

import hashlib

import secagg
from secagg import CHUNK, L, Difference, number, slices

from .canon import Bad, ascending, encode, is_digest, is_int, need, sha, signed
from .question import strict_in_range

HEAD = secagg.HEAD
SPEC = {
    "attempt",
    "c",
    "deadlines",
    "epoch",
    "eta",
    "h",
    "j",
    "k",
    "n",
    "nonce",
    "request",
    "roster",
    "t",
    "u_min",
    "v",
}


def check_spec(spec, roster):
    """A specification whose numbers follow from its roster; `Bad` otherwise."""
    retry = "previous" in spec
    need(spec.keys() == (SPEC | {"previous"} if retry else SPEC), "the fields of a specification")
    q = roster.quorum
    need(q.sound, "the roster has no quorum")
    need(is_digest(spec["nonce"]) and (not retry or is_digest(spec["previous"])), "a digest")
    wanted = {
        "attempt": int(retry),
        "c": q.c,
        "epoch": roster.epoch,
        "h": q.h,
        "n": q.n,
        "roster": roster.hash,
        "t": q.t,
        "u_min": q.u_min,
        "v": 1,
    }
    for name, value in wanted.items():
        fits = spec[name] == value and type(spec[name]) is type(value)
        need(fits, f"{name} of a specification is not {value}")
    need(strict_in_range(spec["eta"], spec["j"], spec["k"]), "eta, j or k out of range")
    times = spec["deadlines"]
    need(isinstance(times, list) and len(times) == 5 and all(map(is_int, times)), "the deadlines")
    need(ascending(times), "the deadlines")


def certificate(data, roster):
    """The session that a certificate seals under a roster; `Bad` if it does not."""
    need(len(data) >= 34, "a certificate that is cut off")
    session, count = data[:32], number(data[32:34])
    need(len(data) == 34 + 66 * count, "the length of a certificate")
    last = -1
    for one in slices(data[34:], 66):
        at = number(one[:2])
        need(last < at < len(roster.places), "a place of a certificate")
        last = at
        key = roster.nodes[roster.places[at]]["identity"]
        need(signed(key, one[2:].hex(), "abort", session), f"the erasure of place {at}")
    need(roster.quorum.sound and count >= roster.quorum.erasures, "too few erasures")
    return session.hex()


def members(data, within):
    """The places of a set; `Bad` if it is not ascending and inside another."""
    need(len(data) % 2 == 0, "the length of a set")
    found = [number(one) for one in slices(data, 2)]
    need(found == sorted(set(found)) and set(found) <= set(within), "a set out of order or too wide")
    return found


def _message(files, name, kind, round_id):
    need(name in files, f"{name} is missing")
    data = bytes(files[name])
    need(data[:HEAD] == bytes([kind]) + bytes.fromhex(round_id), f"the head of {name}")
    return data[HEAD:]


def open_round(files, spec, round_id, roster, request):
    """(places of U3, vectors of the sum); `Bad` when anything is off."""
    try:
        return _open(files, spec, round_id, roster, request)
    except (Difference, ValueError, KeyError, TypeError) as error:
        raise Bad(f"round: {error}") from error


def _open(files, spec, round_id, roster, request):
    n, keys = len(roster.places), [one["identity"] for one in roster.nodes.values()]
    need(sha(encode(spec)) == round_id, "the specification is not the round's")
    adverts = slices(_message(files, "adverts", 0x02, round_id), secagg.ADVERT)
    need(all(len(one) == secagg.ADVERT for one in adverts), "the length of adverts")
    u1 = members(b"".join(one[:2] for one in adverts), range(n))
    need("u2" in files, "u2 is missing")
    u2 = members(bytes(files["u2"]), u1)
    u3 = members(_message(files, "survivors", 0x04, round_id), u2)
    for at, advert in zip(u1, adverts):
        message = bytes.fromhex(round_id) + advert[:-64]
        need(signed(keys[at], advert[-64:].hex(), "advert", message), f"the advert of place {at}")
        for key in (advert[2:34], advert[34:66]):
            secagg.x25519(bytes(32), key)  # raises on a key of low order
    r = secagg.Round(
        {
            "spec": encode(spec).decode(),
            "identity_seeds": keys,
            "layout": request.layout(),
            "u1": u1,
            "u2": u2,
            "u3": u3,
            "unmaskers": u3,
        }
    )
    r.open_session(adverts)
    _confirmed(_message(files, "confirmations", 0x05, round_id), r, keys)
    wanted = {"adverts", "u2", "survivors", "confirmations"}
    wanted |= {f"{kind}/{at:05}" for at in u3 for kind in ("masked", "own")}
    wanted |= {f"mask/{at:05}" for at in r.dropped}
    need(files.keys() == wanted, "not the files of its sets")
    totals = [[0] * cells for _, cells in r.layout]
    for at in u3:
        masked = _message(files, f"masked/{at:05}", 0x13, round_id)
        data = memoryview(_masked(masked, r, keys[at], at))
        starts = [0]
        for bits, cells in r.layout:
            starts.append(starts[-1] + cells * bits // 8)
        r.add_words(totals, 1, lambda w, bits, offset, size, s=starts, d=data: d[s[w] : s[w] + size])
        secret = _secret(files, f"own/{at:05}")
        need(r.self_commitment(at, secret) == r.adverts[at][66:98], f"own secret of place {at}")
        r.add_masks(totals, -1, at, sigma_b=secret)
    for at in r.dropped:
        secret = _secret(files, f"mask/{at:05}")
        mask_sk = r.mask_sk(at, secret)
        need(secagg.public(mask_sk) == r.keys[at][0], f"mask secret of place {at}")
        r.add_masks(totals, 1, at, mask_sk=mask_sk, others=u3)
    sums = [[secagg.signed(x, bits) for x in xs] for xs, (bits, _) in zip(totals, r.layout)]
    return u3, sums


def _secret(files, name):
    data = bytes(files[name])
    value = int.from_bytes(data, "little")
    need(len(data) == 32 and value < L, f"{name} is no scalar")
    return value


def _confirmed(data, r, keys):
    """Valid signatures of members of U3 over U3, all of them, and t at least."""
    need(len(data) % 66 == 0, "the length of confirmations")
    parts = slices(data, 66)
    places = members(b"".join(one[:2] for one in parts), r.u3)
    message = r.id + r.u3h
    good = sum(signed(keys[at], one[2:].hex(), "u3", message) for at, one in zip(places, parts))
    need(good == len(parts) >= r.t, f"{good} of {len(parts)} confirmations hold, {r.t} needed")


def _masked(data, r, key, at):
    """The vector of a masked input."""
    size = sum(cells * bits // 8 for bits, cells in r.layout)
    chunks = -(-size // CHUNK)
    head = 8 + 32 * chunks + 64
    need(len(data) == head + size and number(data[:8]) == size, f"the length of masked input {at}")
    hashes, signature, y = data[8 : head - 64], data[head - 64 : head], data[head:]
    found = b"".join(hashlib.sha256(chunk).digest() for chunk in slices(y, CHUNK))
    need(found == hashes, f"the chunk hashes of masked input {at}")
    named = hashlib.sha256(hashes).digest()
    message = r.id + r.u2h + data[:8] + named
    need(signed(key, signature.hex(), "masked", message), f"the signature of masked input {at}")
    return y


def masked_hash(data):
    """The hash of the chunk hashes of a Masked message with its vector, or None if it is too short."""
    size = number(data[HEAD : HEAD + 8])
    end = HEAD + 8 + 32 * -(-size // CHUNK)
    return hashlib.sha256(data[HEAD + 8 : end]).hexdigest() if len(data) >= end else None
