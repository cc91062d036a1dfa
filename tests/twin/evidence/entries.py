"""What an entry of each type holds (docs/evidence-format.md, "Logs")."""

import re

from .canon import Bad, ascending, decode, encode, is_digest, is_hex, is_int, is_name, is_period, need, sha, signed

MOST_BYTES = 65_535
VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){2}([-+][0-9A-Za-z.+-]{1,40})?\Z")
REASONS = set("""DIMENSION_NOT_ALLOWED MEASURE_NOT_ALLOWED MEASURE_NOT_HELD PURPOSE_NOT_ALLOWED TABLE_TOO_LARGE BOUND_TOO_LARGE
    NOISE_OUT_OF_RANGE TOO_FEW_NODES ROUND_FAILED ROUND_MISMATCH ROUND_LOOSER ROUND_LEFT
    REGISTER_UNKNOWN REGION_MISMATCH CODEBOOK_MISMATCH PERIOD_NOT_HELD AREA_NOT_SERVED
    ALLOWANCE_EXHAUSTED REQUESTER_ALLOWANCE_EXHAUSTED REQUESTER_UNKNOWN SIGNATURE_INVALID
    REQUEST_EXPIRED POLICY_BELOW_REGION_FLOOR DECLINED_BY_PERSON NOT_LOGGED NO_SEED
    POLICY_NOT_APPROVED PERIOD_CLOSED ABORTED NO_ANSWER""".split())

# --- kinds of fields ----------------------------------------------------------


def one_of(*values):
    return lambda value: isinstance(value, str) and value in values


def exactly(number):
    return lambda value: type(value) is int and value == number


def listed(check, least=0):
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(check, value))


def rising(check, least=0):
    return lambda value: listed(check, least)(value) and ascending(value)


def record(**fields):
    def check(value):
        same = isinstance(value, dict) and value.keys() == fields.keys()
        return same and all(fields[name](value[name]) for name in fields)

    return check


def is_object(value):
    return isinstance(value, dict)


def is_reason(value):
    return isinstance(value, str) and value in REASONS


def is_version(value):
    return isinstance(value, str) and VERSION.match(value) is not None


def is_area(value):
    return isinstance(value, str) and 0 < len(value) <= 63 and value.isprintable()


def is_bool(value):
    return type(value) is bool


def is_signature(value):
    return is_hex(value, 64)


def is_certificate(value):
    return is_hex(value)


def is_approvals(value):
    return listed(record(key=is_digest, signature=is_signature))(value)


def is_eta(value):
    return isinstance(value, list) and len(value) == 2 and all(map(is_int, value))


is_head = record(root=is_digest, size=is_int)
is_periods = rising(is_period, 1)
is_cost = record(atto_delta=is_int, nano_rho=is_int)
is_terms = record(eta=is_eta, j=is_int, k=is_int)

# --- types; a field whose name ends with "?" may be absent ---------------------

NODE = {
    "genesis": {
        "governance": is_digest,
        "identity": is_digest,
        "log": is_digest,
        "node": is_name,
        "region": is_name,
        "software": is_version,
        "v": exactly(1),
        "witness": is_digest,
    },
    "approvers": {"after?": is_digest, "keys": rising(is_digest, 2), "approvals": is_approvals},
    "policy-approved": {"after?": is_digest, "policy": is_digest, "approvals": is_approvals},
    "roster-approved": {"epoch": is_int, "roster": is_digest, "signature": is_signature},
    "imported": {
        "commitments": listed(is_digest, 1),
        "coverage?": one_of("all", "some", "pilot"),
        "events?": lambda value: value is True,
        "periods": is_periods,
        "register": is_name,
        "source": is_name,
        "vintage": is_digest,
    },
    "seeds": {"commitments": listed(is_digest, 1), "first": is_int},
    "question": {
        "asked": record(index=is_int, root=is_digest, size=is_int),
        "deadline": is_int,
        "known": is_int,
        "nonce": is_digest,
        "request": is_object,
        "round": is_digest,
    },
    "approved": {"by": one_of("person", "policy"), "request": is_digest},
    "refused": {"reason": is_reason, "request": is_digest},
    "debit": {
        "attempt": lambda value: is_int(value, 0, 1),
        "cost": is_cost,
        "k": is_int,
        "node": is_name,
        "nonce": is_digest,
        "periods": is_periods,
        "policy": is_digest,
        "regional?": record(h=is_int, roster=is_digest, session=is_digest),
        "request": is_object,
        "requester": is_name,
        "round": is_digest,
        "seed": is_int,
        "source": is_name,
        "tau?": lambda value: is_int(value, -(2**53) + 1),
        "vintages": listed(is_digest, 1),
    },
    "carry": {
        "certificate": is_certificate,
        "debit": is_int,
        "nonce": is_digest,
        "round": is_digest,
        "seed": is_int,
        "session": is_digest,
    },
    "release": {"debit": is_int, "release": is_digest, "request": is_digest},
    "abort": {"debit": is_int},
    "round-joined": {"request": is_digest, "round": is_digest},
    "masked": {"masked": is_digest, "request": is_digest, "round": is_digest},
    "round-erased": {"round": is_digest},
    "destroyed": {"periods": is_periods, "seeds": rising(is_int), "vintage": is_digest},
    "closed": {"atto_delta": is_int, "debits": is_int, "nano_rho": is_int, "period": is_period, "source": is_name},
    "recovered": {"periods": is_periods, "source": is_name},
}
COORDINATOR = {
    "genesis": {
        "governance": is_digest,
        "log": is_digest,
        "region": is_name,
        "software": is_version,
        "v": exactly(1),
        "witness": is_digest,
    },
    "enrolled": {
        "areas": listed(is_area),
        "identity": is_digest,
        "kind": one_of("node", "person"),
        "log?": is_digest,
        "name": is_name,
        "roles": listed(one_of("requester", "auditor")),
        "secret_sha256": is_digest,
        "spki": is_digest,
        "witness?": is_digest,
    },
    "renewed": {
        "by": is_digest,
        "kind": one_of("node", "person"),
        "name": is_name,
        "spki": is_digest,
    },
    "revoked": {"kind": one_of("node", "person"), "name": is_name},
    "roster": {"epoch": is_int, "roster": is_digest, "signature": is_signature},
    "asked": {
        "deadline": is_int,
        "heads": is_digest,
        "nodes": listed(is_name),
        "nonce": is_digest,
        "phase_timeout_s": is_int,
        "request": is_object,
        "round": is_digest,
    },
    "reopened": {
        "deadline": is_int,
        "heads": is_digest,
        "id": is_digest,
        "nodes": listed(is_name),
        "nonce": is_digest,
        "request": is_object,
        "round": is_digest,
    },
    "released": {
        "head": is_head,
        "id": is_digest,
        "index": is_int,
        "node": is_name,
        "release": is_digest,
        "signature": is_signature,
    },
    "refused": {"id": is_digest, "node": is_name, "reason": is_reason},
    "ready": {"id": is_digest, "node": is_name, "terms": is_terms},
    "round-began": {"certificate?": is_certificate, "id": is_digest, "spec": is_object},
    "round-failed": {"id": is_digest, "inputs": is_bool, "round": is_digest},
    "closed": {"counted?": rising(is_name, 1), "id": is_digest, "published?": is_digest, "reason?": is_reason},
    "access": {"auditor": is_name},
}


def parse(data, types):
    """The value of an entry; `Bad` if it is none of these types with exactly its fields."""
    need(len(data) <= MOST_BYTES, "an entry that is too long")
    entry = decode(data)
    need(isinstance(entry, dict), "an entry that is no object")
    kind = entry.get("type")
    need(isinstance(kind, str) and kind in types, "an unknown type")
    need(is_int(entry.get("time")), f"the time of {kind}")
    seen = {"type", "time"}
    for name, check in types[kind].items():
        optional, name = name.endswith("?"), name.removesuffix("?")
        if name in entry:
            need(check(entry[name]), f"{name} of {kind}")
            seen.add(name)
        else:
            need(optional, f"{kind} without {name}")
    if entry.keys() != seen:
        raise Bad(f"{kind} with {sorted(entry.keys() - seen)[:1]}")
    if kind == "debit":
        need(len(entry["vintages"]) == len(entry["periods"]), "vintages of debit")
    elif kind == "imported":
        need(len(entry["commitments"]) == len(entry["periods"]), "commitments of imported")
    elif kind == "enrolled":
        keys = entry["kind"] == "node"
        need(("log" in entry) == ("witness" in entry) == keys, "keys of enrolled")
    return entry


class Chain:
    """What one node's log has approved so far."""

    def __init__(self):
        self.end, self.begun = "00" * 32, False

    def take(self, entry):
        """Whether the entry may stand here; it does from now on."""
        if entry["type"] not in ("genesis", "approvers", "policy-approved"):
            return True
        after = entry.get("after")
        fits = not self.begun if after is None else after == self.end
        self.begun = self.begun or after is not None
        self.end = sha(bytes.fromhex(self.end + sha(encode(entry))))
        return fits


def approved(entry, label, message, approvers):
    """At least two distinct keys of the approvers in force sign this, and nobody else."""
    if "after" in entry:
        label, message = label + "-after", bytes.fromhex(entry["after"]) + message
    keys = [one["key"] for one in entry["approvals"]]
    known = len(keys) >= 2 and ascending(keys) and set(keys) <= set(approvers)
    return known and all(signed(one["key"], one["signature"], label, message) for one in entry["approvals"])


def check_order(entries):
    """Faults of the order within one log, as (index, what)."""
    seeds, approvers, members, chain = 0, [], {}, Chain()
    for index, entry in enumerate(entries):
        kind = entry["type"]
        follows = chain.take(entry)
        if (kind == "genesis") != (index == 0):
            yield index, "genesis is not the first entry and only that"
        elif kind == "seeds":
            if entry["first"] != seeds:
                yield index, f"seeds from {entry['first']}, not {seeds}"
            seeds = entry["first"] + len(entry["commitments"])
        elif kind == "approvers":
            message = bytes.fromhex("".join(entry["keys"]))
            fits = approved(entry, "approvers", message, approvers) if approvers else not entry["approvals"]
            if not fits or not follows:
                yield index, "the approvals of approvers"
            approvers = entry["keys"]
        elif kind in ("enrolled", "renewed", "revoked"):
            member = entry["kind"], entry["name"]
            keys = members.pop(member, None)
            if kind == "enrolled":
                members[member] = {entry["spki"]}
            elif kind == "renewed":
                if keys is None or entry["by"] not in keys:
                    yield index, "renewed by a key that may not call"
                members[member] = {entry["by"], entry["spki"]}
            elif keys is None:
                yield index, "revoked while nobody may call"
