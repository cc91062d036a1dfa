"""The archive and its logs: R01 to R09 and R24; then the rules of the other files."""

from . import entries, tree
from .canon import Bad, decode, encode, is_digest, is_hex, is_int, is_name, need, sha
from .container import Bundle
from .node_rules import NodeWalk
from .note import COSIGNER_KEY, LOG_KEY, Checkpoint, key_id
from .question import Policy, Requests, Roster, strict_in_range
from .regional import SPEC
from .report import Report
from .table_rules import TableRules

TWO_DAYS, SLACK = 172_800, 300


class Log:
    """One log of the bundle. `fault` is the first rule that broke it."""

    def __init__(self, folder, files, region):
        self.folder, self.fault = folder, None
        self.node = None if folder == "coordinator" else folder.removeprefix("node-")
        end = "coordinator" if self.node is None else f"node/{self.node}"
        self.origin = f"koonti/{region}/{end}"
        self.note = files.get("checkpoint")
        self.tiles = {path: data for path, data in files.items() if path != "checkpoint"}
        self.checkpoint, self.leaves, self.raw, self.entries = None, [], [], []
        self.cosigners, self.times = set(), []

    def loose_entries(self):
        """Entries before anything is checked, for the newest roster only."""
        found = []
        for path in sorted(path for path in self.tiles if path.startswith("tile/entries/")):
            data = bytes(self.tiles[path])
            while len(data) >= 2:
                end = 2 + int.from_bytes(data[:2], "big")
                if len(data) < end:
                    break
                found.append(data[2:end])
                data = data[end:]
        return found


class Verifier:
    """What all rules share: the bundle, its logs, rosters, policies, requests and recorded heads."""

    def __init__(self, data, trust, pins=None, now=None):
        self.trust, self.pins, self.now = trust, pins or {}, now
        self.report, self.requests = Report(), Requests()
        self._rosters, self._policies = {}, {}
        try:
            self.bundle = Bundle(data)
        except Exception as error:
            self.bundle = None
            self.report["R01"].fail("archive", error if isinstance(error, Bad) else repr(error))
            return
        self.report["R01"].ok(len(self.bundle.files))
        logs = [Log(f, files, self.bundle.region) for f, files in sorted(self.bundle.logs.items())]
        self.logs = {log.node: log for log in logs}  # None is the coordinator's

    def good(self, node):
        """A log that no rule has broken, or None."""
        log = self.logs.get(node)
        return log if log and log.fault is None else None

    def good_logs(self):
        return [log for log in self.logs.values() if log.fault is None]

    def good_nodes(self):
        return [log for log in self.good_logs() if log.node is not None]

    def roster(self, entry):
        """The roster that an entry names if it is well-formed, of the region and signed there; else None."""
        digest, signature = entry.get("roster"), entry.get("signature")
        if not (is_digest(digest) and is_hex(signature, 64)):
            return None
        if (digest, signature) not in self._rosters:
            found, data = None, self.bundle.blob(digest)
            if data is not None:
                try:
                    found = Roster(data)
                    mine = found.region == self.bundle.region
                    found = found if mine and found.signed_by(self.trust.governance, signature) else None
                except Bad:
                    found = None
            self._rosters[digest, signature] = found
        return self._rosters[digest, signature]

    def policy(self, digest):
        if digest not in self._policies:
            found, data = None, self.bundle.blob(digest)
            if data is not None:
                try:
                    found = Policy(data)
                except Bad:
                    found = None
            self._policies[digest] = found
        return self._policies[digest]

    # --- R02: who is who, and the notes ---------------------------------------

    def find_rosters(self):
        """The rosters of the coordinator's log, or of the one node's, the newest first."""
        nodes = [log for log in self.logs.values() if log.node is not None]
        source = self.logs.get(None) or (nodes[0] if len(nodes) == 1 else None)
        self.rosters, self.newest = [], None
        if source is None:
            return
        named = []
        for raw in source.loose_entries():
            if b'"type":"roster' not in raw:
                continue
            try:
                entry = decode(raw)
            except Bad:
                continue
            if isinstance(entry, dict) and entry.get("type") in ("roster", "roster-approved"):
                named.append(entry)
        found = [self.roster(one) for one in reversed(named)]
        self.newest = found[0] if found else None
        self.rosters = [one for one in found if one is not None]

    def member(self, node):
        """The newest roster entry of a node, also of one that has left."""
        return next((r.nodes[node] for r in self.rosters if node in r.nodes), None)

    def cosigner_keys(self):
        """(name, id) -> (who, name, key): the coordinator (None), nodes, and outside witnesses."""
        region, found = self.bundle.region, {}

        def add(who, name, key):
            found[name, key_id(name, COSIGNER_KEY, key)] = (who, name, key)

        for _, (name, _, key) in sorted(self.trust.witnesses.items()):
            add("outside", name, key)
        for roster in reversed(self.rosters):
            key = bytes.fromhex(roster.coordinator["witness"])
            add(None, f"koonti/{region}/coordinator/witness", key)
            for node, one in roster.nodes.items():
                add(node, f"koonti/{region}/node/{node}/witness", bytes.fromhex(one["witness"]))
        return found

    def notes(self):
        r02, r03 = self.report["R02"], self.report["R03"]
        self.find_rosters()
        cosigners = self.cosigner_keys()
        for log in self.logs.values():
            try:
                need(self.newest is not None, "the newest roster is not signed by the governance key")
                need(log.note is not None, "no checkpoint")
                log.checkpoint = Checkpoint(log.note)
                need(log.checkpoint.origin == log.origin, "the origin is not the log's")
                who = self.newest.coordinator if log.node is None else self.member(log.node)
                need(who is not None, "no roster lists the node")
                key = bytes.fromhex(who["log"])
                own = log.origin, key_id(log.origin, LOG_KEY, key)
                by_log = [s for *name, s in log.checkpoint.signatures if tuple(name) == own]
                need(len(by_log) == 1, f"{len(by_log)} signatures of the log's key")
                r02.ok()
            except Bad as error:
                r02.fail(log.folder, error)
                log.fault = "R02"
                continue
            self.signatures(r03, log, key, by_log[0], cosigners)

    def signatures(self, r03, log, key, by_log, cosigners):
        if log.checkpoint.log_signature_holds(key, by_log):
            r03.ok()
        else:
            r03.fail(log.folder, "the log's signature")
            log.fault = "R03"
        for name, hint, signature in log.checkpoint.signatures:
            known = cosigners.get((name, hint))
            if known is None:
                continue
            time = log.checkpoint.cosignature_time(known[2], signature)
            if time is None:
                r03.fail(log.folder, f"the cosignature of {name}")
                log.fault = "R03"
            else:
                r03.ok()
                log.cosigners.add(known)
                log.times.append(time)

    # --- R04: enough cosignatures, and fresh ones -----------------------------

    def cosigned(self):
        rule = self.report["R04"]
        for log in self.good_logs():
            who = {one[0] for one in log.cosigners}
            if self.trust.quorum is not None:
                enough = self.trust.satisfied({one[1:] for one in log.cosigners})
            elif log.node is not None:
                enough = None in who
            else:
                enough = len(who & set(self.newest.nodes)) >= self.newest.cosigners_needed()
            if not enough:
                rule.fail(log.folder, "too few cosignatures")
            elif self.now is not None and any(time > self.now for time in log.times):
                rule.fail(log.folder, "a cosignature of later than now")
            elif self.now is not None and log.times and max(log.times) < self.now - TWO_DAYS:
                rule.fail(log.folder, "no cosignature of the last two days")
            else:
                rule.ok()

    # --- R05, R08: tiles and entries ------------------------------------------

    def trees(self):
        rule = self.report["R05"]
        for log in self.good_logs():
            point = log.checkpoint
            try:
                log.raw, log.leaves = tree.read(log.tiles, point.size)
                root = tree.roots(log.leaves, [point.size])[point.size]
                need(root == point.root, "the root of the entries is not the checkpoint's")
                rule.ok()
            except Bad as error:
                rule.fail(log.folder, error)
                log.fault = "R05"

    def parse(self):
        rule = self.report["R08"]
        for log in self.good_logs():
            types, faults = entries.COORDINATOR if log.node is None else entries.NODE, []
            for index, raw in enumerate(log.raw):
                try:
                    log.entries.append(entries.parse(raw, types))
                except Bad as error:
                    faults.append((index, error))
            if not log.raw:
                faults.append((0, "no genesis"))
            faults = faults or list(entries.check_order(log.entries))
            rule.ok(max(0, len(log.raw) - len(faults)))
            for index, what in faults:
                rule.fail(f"{log.folder} {index}", what)
                log.unparsed = True

    def drop_unparsed(self):
        """After R06 and R07, which need the tree only, a log that breaks R08 is out."""
        for log in self.good_logs():
            if getattr(log, "unparsed", False):
                log.fault = "R08"

    # --- R06, R07: what was seen of a log elsewhere ---------------------------

    def origin(self, node):
        end = "coordinator" if node is None else f"node/{node}"
        return f"koonti/{self.bundle.region}/{end}"

    def heads(self, digest):
        """The blob `heads`, or None if it is absent or malformed."""
        data = self.bundle.blob(digest)
        try:
            found = decode(data) if data is not None else None
        except Bad:
            return None
        if not isinstance(found, dict) or not all(map(is_name, found)):
            return None
        return found if all(map(is_recorded, found.values())) else None

    def recorded(self):
        """(where, origin, size, root), root in hex, of all that logs and pins say of logs."""
        for log in self.good_logs():
            if getattr(log, "unparsed", False):
                continue
            for index, entry in enumerate(log.entries):
                where = f"{log.folder} {index}"
                if log.node is not None and entry["type"] == "question":
                    asked = entry["asked"]
                    yield where, self.origin(None), asked["size"], asked["root"]
                elif log.node is None and entry["type"] == "released":
                    yield where, self.origin(entry["node"]), entry["head"]["size"], entry["head"]["root"]
                elif log.node is None and entry["type"] in ("asked", "reopened"):
                    heads = self.heads(entry["heads"])
                    if heads is None:
                        yield where, None, 0, ""
                        continue
                    for node, (size, root) in heads.items():
                        yield where, self.origin(node), size, root
        for origin, (size, root) in sorted(self.pins.items()):
            yield "pin", origin, size, root

    def prefixes(self):
        r06, r07 = self.report["R06"], self.report["R07"]
        logs = {log.origin: log for log in self.good_logs()}
        seen, by_size, broken = {}, {}, []
        for where, origin, size, root in self.recorded():
            if origin is None:
                broken.append(where)
                continue
            seen.setdefault(origin, {}).setdefault((size, root), where)
            by_size.setdefault((origin, size), set()).add(root)
        for where in broken:
            r06.fail(where, "the blob of heads")
        # A bundle with the coordinator's log has all logs.
        absent = seen.keys() - {log.origin for log in self.logs.values()} if None in self.logs else ()
        for origin in sorted(absent):
            for (size, _), where in seen[origin].items():
                r06.fail(where, f"size {size} of {origin}, whose log is not here")
        for origin, log in logs.items():
            sizes = {size for size, _ in seen.get(origin, ()) if size <= len(log.leaves)}
            roots = tree.roots(log.leaves, sizes)
            for (size, root), where in seen.get(origin, {}).items():
                fits = size in roots and roots[size].hex() == root
                r06.judge(where, fits, f"size {size} of {origin} is no prefix of the log")
            by_size.setdefault((origin, log.checkpoint.size), set()).add(log.checkpoint.root.hex())
        for (origin, size), roots in by_size.items():
            r07.judge(origin, len(roots) == 1, f"{len(roots)} roots of size {size}")

    # --- what the rules on questions and tables look up -----------------------

    def index(self):
        """Rounds by their hash, questions by nonce and round."""
        self.specs, self.by_nonce, self._heads = {}, {}, {}
        coordinator = self.good(None)
        for entry in coordinator.entries if coordinator else ():
            if entry["type"] == "round-began":
                spec = entry["spec"]
                terms = SPEC <= spec.keys() and is_digest(spec["request"]) and is_digest(spec["roster"])
                if terms and strict_in_range(spec["eta"], spec["j"], spec["k"]):
                    self.specs[sha(encode(spec))] = spec
            elif entry["type"] in ("asked", "reopened"):
                self.by_nonce[entry["nonce"], entry["round"]] = entry

    def roster_of_hash(self, digest):
        """A roster that a log names and that is signed there, or None."""
        return next((one for one in self._rosters.values() if one and one.hash == digest), None)

    def unread(self, digest):
        """A roster that a log names and that cannot be used; R02 or R24 says so."""
        return self.roster_of_hash(digest) is None and any(name == digest for name, _ in self._rosters)

    def left_out(self, node):
        """The log of a node is not in a bundle that has all logs."""
        return None in self.logs and node not in self.logs

    def heads_of(self, entry):
        digest = entry["heads"]
        if digest not in self._heads:
            if len(self._heads) > 4096:
                self._heads.clear()
            self._heads[digest] = self.heads(digest)
        return self._heads[digest]

    # --- R09: times ------------------------------------------------------------

    def times(self):
        rule = self.report["R09"]
        for log in self.good_logs():
            latest = max(log.times) + SLACK if log.times else None
            last = 0
            for index, entry in enumerate(log.entries):
                time, where = entry["time"], f"{log.folder} {index}"
                if time < last:
                    rule.fail(where, "an earlier time than the entry before")
                elif latest is not None and time > latest:
                    rule.fail(where, "a later time than the cosignatures let")
                else:
                    rule.ok()
                last = max(last, time)

    # --- R24: keys for ever, and rosters ----------------------------------------

    def keys(self):
        rule = self.report["R24"]
        for log in self.good_logs():
            named = [
                (index, entry)
                for index, entry in enumerate(log.entries)
                if entry["type"] in ("roster", "roster-approved")
            ]
            epoch = -1
            for index, entry in named:
                roster = self.roster(entry)
                where = f"{log.folder} {index}"
                if roster is None:
                    rule.fail(where, "a roster that is absent, malformed or not signed")
                elif not (epoch < entry["epoch"] == roster.epoch):
                    rule.fail(where, "an epoch that does not increase, or is not the roster's")
                else:
                    rule.ok()
                epoch = max(epoch, entry["epoch"])
            self.genesis(rule, log, [self.roster(entry) for _, entry in named])

    def genesis(self, rule, log, own):
        first = log.entries[0]
        faults = []
        if first["governance"] != self.trust.governance or first["region"] != self.bundle.region:
            faults.append("governance or region")
        if log.node is not None and first["node"] != log.node:
            faults.append("the node's name")
        for roster in [*self.rosters, *(one for one in own if one is not None)]:
            listed = roster.coordinator if log.node is None else roster.nodes.get(log.node)
            names = ("log", "witness") if log.node is None else ("identity", "log", "witness")
            if listed and any(listed[name] != first[name] for name in names):
                faults.append(f"other keys than in the roster of epoch {roster.epoch}")
        rule.judge(f"{log.folder} 0", not faults, "; ".join(faults[:3]))


def check(data, trust, pins=None, now=None):
    """The report on a bundle."""
    v = Verifier(data, trust, pins, now)
    if v.bundle is None:
        return v.report
    steps = (
        ("R02", v.notes),
        ("R04", v.cosigned),
        ("R05", v.trees),
        ("R08", v.parse),
        ("R06", v.prefixes),
        ("R08", v.drop_unparsed),
        ("R09", v.times),
        ("R24", v.keys),
        ("R10", v.index),
    )
    for name, step in steps:
        guarded(v.report[name], step)
    walks = {}
    for log in v.good_nodes():
        walk = guarded(v.report["R13"], lambda log=log: NodeWalk(v, log))
        if walk:
            walks[log.node] = walk
    guarded(v.report["R27"], lambda: TableRules(v, walks))
    return v.report


def guarded(rule, step):
    """A step that meets something that nobody thought of fails its rule, and stops nothing else."""
    try:
        return step()
    except Exception as error:
        rule.fail("verifier", f"stumbled: {error!r}")
        return None


def is_recorded(value):
    """[size, root]"""
    pair = isinstance(value, list) and len(value) == 2
    return pair and is_int(value[0]) and is_digest(value[1])


def read_pins(data):
    """Pins from canonical JSON; `Bad` for anything else."""
    found = decode(data.encode("utf-8") if isinstance(data, str) else data)
    need(isinstance(found, dict) and all(map(is_recorded, found.values())), "pins")
    return found
