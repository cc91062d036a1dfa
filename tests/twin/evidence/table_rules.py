"""What left the nodes and what was published: R16 to R20, R22, R26 to R28."""

from .canon import Bad, encode, need, sha, signed
from .question import SignedRequest
from .regional import certificate, check_spec, masked_hash, open_round
from .tables import Release, combine, publish, read_table, same, with_coverage


class Table:
    """A question in the coordinator's log, and where each node asked stands."""

    def __init__(self, request):
        self.request, self.nodes, self.rounds, self.asked = request, {}, [], set()
        self.closed, self.failed = set(), {}  # nodes that no answer moves; rounds that broke off, and their `inputs`
        self.published = []  # of a regional one: (where, round or None, bytes or None, nodes counted, missing)

    def ask(self, nodes):
        """A release stands, whoever is asked again."""
        self.closed -= set(nodes)
        self.asked |= set(nodes)
        for node in nodes:
            if self.nodes.get(node, ("",))[0] != "released":
                self.nodes[node] = ("open", None)

    def answer(self, node, *standing):
        if node not in self.closed and self.nodes.get(node, ("",))[0] != "released":
            self.nodes[node] = standing

    def close(self, counted):
        """What stands now is so until a node is asked again."""
        self.closed |= self.nodes.keys()
        missing = self.missing(counted)
        for node, standing in self.nodes.items():
            if node in counted:
                self.nodes[node] = ("counted", None)
            elif standing[0] != "released" and node in self.asked:
                self.nodes[node] = ("refused", missing[node])

    def missing(self, counted):
        """Of each node asked that is not counted: the reason last logged."""
        words = {"open": "NO_ANSWER", "ready": "ROUND_LEFT"}
        return {
            node: standing[1] if standing[0] == "refused" else words.get(standing[0], "NO_ANSWER")
            for node, standing in self.nodes.items()
            if node not in counted and node in self.asked
        }


class TableRules:
    def __init__(self, verifier, walks):
        self.v, self.walks = verifier, walks
        self.coordinator = verifier.good(None)
        self.parsed, self.broken, self.tables, self.released = {}, set(), {}, []
        self.cells = self.rounds_opened = 0
        self.read_releases()
        if self.coordinator:
            for index, entry in enumerate(self.coordinator.entries):
                step = getattr(self, "on_" + entry["type"].replace("-", "_"), None)
                if step:
                    step(f"coordinator {index}", index, entry)
        self.signatures()
        self.once()
        self.complete()
        self.rounds()
        self.named()
        self.enough()

    def rule(self, name):
        return self.v.report[name]

    # --- R16, R17: the bytes of releases ---------------------------------------------

    def per_node_releases(self, walk):
        """(index, entry, debit or None) of the releases of tables per organisation."""
        return [one for one in walk.releases if one[2] is None or not one[2].regional]

    def read_releases(self):
        named = {}
        if self.coordinator:
            for index, entry in enumerate(self.coordinator.entries):
                if entry["type"] == "released":
                    self.released.append((index, entry))
                    named.setdefault(entry["release"], f"coordinator {index}")
        for walk in self.walks.values():
            for index, entry, _ in self.per_node_releases(walk):
                named.setdefault(entry["release"], f"{walk.log.folder} {index}")
        for digest, where in named.items():
            data = self.v.bundle.blob(digest)
            if data is None:
                continue
            try:
                release = Release(data, self.v.requests)
            except Bad as error:
                self.rule("R17").fail(where, f"release: {error}")
                self.broken.add(digest)
                continue
            self.rule("R17").ok()
            faults = next(release.faults_of_gate(), None)
            self.rule("R16").judge(where, faults is None, faults)
            self.parsed[digest] = release
            self.v.report.releases += 1
            self.cells += release.request.total

    # --- R18: one release in three places ----------------------------------------------

    @staticmethod
    def header_of(debit):
        names = ("attempt", "cost", "k", "node", "policy", "request", "round", "tau", "vintages")
        return encode({name: debit.entry.get(name) for name in names} | {"v": 1})

    def signatures(self):
        rule = self.rule("R18")
        stored = {
            node: {entry["release"]: debit for _, entry, debit in self.per_node_releases(walk)}
            for node, walk in self.walks.items()
        }
        told = set()
        for index, entry in self.released:
            node, digest, where = entry["node"], entry["release"], f"coordinator {index}"
            told.add((node, digest))
            self._named(where, entry)
            if digest in self.broken:
                continue
            data, member = self.v.bundle.blob(digest), self.v.member(node)
            if data is None:
                rule.fail(where, "the blob of a release is absent")
            elif not member or not signed(member["identity"], entry["signature"], "release", data):
                rule.fail(where, "the signature of a release")
            elif node in stored and digest not in stored[node]:
                rule.fail(where, "the node's log names no such release")
            elif node in stored:
                debit, release = stored[node][digest], self.parsed[digest]
                if debit is None:
                    continue  # R13 has said so
                if release.header_bytes != self.header_of(debit):
                    rule.fail(where, "the header of a release is not its debit")
                elif entry["id"] != release.request.id:
                    rule.fail(where, "a release under the id of another request")
                else:
                    rule.ok()
        for node, releases in stored.items():
            for digest, debit in releases.items():
                release = self.parsed.get(digest)
                later = release is not None and debit is not None and (node, digest) not in told
                if later and release.header_bytes != self.header_of(debit):
                    rule.fail(f"node-{node}", "the header of a release is not its debit")

    def _named(self, where, entry):
        """R10: the node's log names the release at this place."""
        walk = self.walks.get(entry["node"])
        if walk is None:
            return
        at, size, entries = entry["index"], entry["head"]["size"], walk.log.entries
        there = entries[at] if at < min(size, len(entries)) else {"type": None}
        holds = there["type"] == "release" and there["release"] == entry["release"]
        self.rule("R10").judge(where, holds, "the node's log names no such release there")

    # --- R19, R20 ------------------------------------------------------------------------

    def once(self):
        rule, seen = self.rule("R19"), {}
        for index, entry in self.released:
            seen.setdefault(("coordinator", entry["node"], entry["id"]), []).append(index)
        for node, walk in self.walks.items():
            for index, entry, _ in walk.releases:
                seen.setdefault((f"node-{node}", node, entry["request"]), []).append(index)
        for (log, node, _), places in seen.items():
            rule.judge(f"{log} {places[-1]}", len(places) == 1, f"{len(places)} releases of {node}")

    def complete(self):
        rule, told = self.rule("R20"), {}
        for _, entry in self.released:
            told.setdefault(entry["node"], []).append(entry)
        for node, entries in told.items():
            if node not in self.walks:
                continue
            size = entries[-1]["head"]["size"]
            stored = {e["release"] for i, e, _ in self.per_node_releases(self.walks[node]) if i < size}
            holds = stored == {one["release"] for one in entries}
            rule.judge(f"node-{node}", holds, "not the releases that its log says it stored")

    # --- the coordinator's log, in order ---------------------------------------------------

    def on_asked(self, _where, _index, entry):
        try:
            request = SignedRequest(entry["request"], self.v.requests).request
        except Bad:
            return
        self.tables.setdefault(request.id, Table(request)).ask(entry["nodes"])

    def on_reopened(self, _where, _index, entry):
        if entry["id"] in self.tables:
            self.tables[entry["id"]].ask(entry["nodes"])

    def _stands(self, entry, *standing):
        if entry["id"] in self.tables:
            self.tables[entry["id"]].answer(entry["node"], *standing)

    def on_released(self, _where, _index, entry):
        self._stands(entry, "released", entry["release"])

    def on_refused(self, _where, _index, entry):
        self._stands(entry, "refused", entry["reason"])

    def on_ready(self, _where, _index, entry):
        self._stands(entry, "ready", entry["terms"])

    def on_closed(self, where, _index, entry):
        table = self.tables.get(entry["id"])
        if table is None:
            if "published" in entry:
                self.rule("R17").fail(where, "a table of no question")
            return
        counted = entry.get("counted", [])
        if "published" in entry:
            self._published(where, entry, table)
        table.close(counted)

    def _published(self, where, entry, table):
        data, found = self.v.bundle.blob(entry["published"]), None
        try:
            need(data is not None, "its blob is absent")
            found = read_table(data, table.request)
            self.rule("R17").ok()
        except Bad as error:
            self.rule("R17").fail(where, f"published table: {error}")
        if table.request.regional:
            counted = entry.get("counted", [])
            round_id = found["regional"]["round"] if found else None
            table.published.append((where, round_id, data, counted, table.missing(counted), found))
            if found:
                self._threshold(where, table, found)
        elif data is not None:
            self._combined(where, table, data, found)

    def _stated(self, paid, found):
        """What the logs of nodes state of what they paid for, by its hash; what the table says, of logs not to be used."""
        claims = {}
        for one in (found or {}).get("coverage", []):
            claims.setdefault(one["node"], []).extend((p, one["coverage"]) for p in one["periods"])
        return {
            node: self.walks[node].covered.get(digest, []) if node in self.walks else claims.get(node, [])
            for node, digest in paid.items()
        }

    def _combined(self, where, table, data, found):
        """R22"""
        digests = [s[1] for s in table.nodes.values() if s[0] == "released"]
        releases = [self.parsed.get(digest) for digest in digests]
        fits = all(one is not None and one.request.id == table.request.id for one in releases)
        if not fits:
            return  # R17 or R18 has said so
        counted = {node: s[1] for node, s in table.nodes.items() if s[0] == "released"}
        made = combine(table.request, releases, table.missing(counted))
        made = with_coverage(made, self._stated(counted, found))
        holds = bool(releases) and same(made, data)
        self.rule("R22").judge(where, holds, "the table is not what its releases give")

    def _threshold(self, where, table, found):
        """R16, of a regional table"""
        threshold = found["regional"]["threshold"]  # R28 asks whether it is the right one
        figure = "clients" if table.request.score or table.request.most else "value"
        under = [c for c in found["cells"] if figure in c and c[figure] < threshold]
        self.rule("R16").judge(where, not under, f"a figure under the threshold {threshold}")

    # --- R26: rounds --------------------------------------------------------------------------

    def on_round_began(self, where, _index, entry):
        table, spec = self.tables.get(entry["id"]), entry["spec"]
        try:
            need(table is not None and table.request.regional, "a round of no regional question")
            roster = self.v.roster_of_hash(spec.get("roster"))
            if self.v.unread(spec.get("roster")):
                table.rounds.append(sha(encode(spec)))
                return
            need(roster is not None, "a round under an unknown roster")
            check_spec(spec, roster)
            need(spec["request"] == entry["id"], "a round of another question")
            terms = [s[1] for s in table.nodes.values() if s[0] == "ready"] + [roster.floor]
            for own in terms:
                strict = spec["k"] >= own["k"] and spec["j"] >= own["j"]
                strict = strict and spec["eta"][0] * own["eta"][1] <= own["eta"][0] * spec["eta"][1]
                need(strict, "terms looser than those of a node that is ready")
            self._retry(entry, table, roster)
            self.rule("R26").ok()
        except Bad as error:
            self.rule("R26").fail(where, error)
        if table is not None:
            table.rounds.append(sha(encode(spec)))

    def _retry(self, entry, table, roster):
        previous = entry["spec"].get("previous")
        need(("certificate" in entry) == (previous is not None), "a retry and its certificate")
        if previous is None:
            return
        need(table.rounds and previous == table.rounds[-1], "a retry of another round than the last")
        need(table.failed.get(previous), "a retry of a round that did not fail after inputs")
        certificate(bytes.fromhex(entry["certificate"]), roster)

    def on_round_failed(self, _where, _index, entry):
        if entry["id"] in self.tables:
            self.tables[entry["id"]].failed[entry["round"]] = entry["inputs"]

    # --- R28, R29: opened rounds -----------------------------------------------------------------

    def rounds(self):
        if self.coordinator is None:
            return
        for table in self.tables.values():
            for where, round_id, data, *_ in table.published:
                if data is not None and round_id not in self.v.bundle.rounds:
                    self.rule("R28").fail(where, "the round of a published table is not here")
        for round_id, files in sorted(self.v.bundle.rounds.items()):
            where = f"rounds/{round_id[:12]}"
            try:
                spec = self.v.specs.get(round_id)
                need(spec is not None, "a round that never began")
                table = self.tables.get(spec.get("request"))
                need(table is not None and table.published, "a round that was not published")
                roster = self.v.roster_of_hash(spec.get("roster"))
                if self.v.unread(spec.get("roster")):
                    continue
                need(roster is not None, "a round under an unknown roster")
                self._inputs(where, round_id, files, roster)
                check_spec(spec, roster)
                u3, sums = open_round(files, spec, round_id, roster, table.request)
                names = [roster.places[at] for at in u3]
                last = table.published[-1]
                _, _, data, counted, missing, found = next((one for one in table.published if one[1] == round_id), last)
                need(names == counted, "the nodes counted are not those in the sum")
                made = publish(table.request, spec, round_id, roster.quorum, names, missing, sums)
                if data is None:
                    continue  # R17 says so
                made = with_coverage(made, self._stated(dict.fromkeys(names, round_id), found))
                need(same(made, data), "the table is not what the sum gives")
            except Bad as error:
                self.rule("R28").fail(where, error)
                continue
            self.rule("R28").ok()
            self.rounds_opened += 1
            self.cells += table.request.total

    def _inputs(self, where, round_id, files, roster):
        """R29, of each masked input that can be read, whatever else is wrong with its round."""
        for name, data in sorted(files.items()):
            kind, _, place = name.partition("/")
            node = dict(enumerate(roster.places)).get(int(place)) if kind == "masked" else None
            digest = masked_hash(bytes(data))
            if node is None or digest is None:
                continue
            walk = self.walks.get(node)
            if walk:
                known = digest in walk.masked.get(round_id, ())
                self.rule("R29").judge(where, known, f"the log of {node} names no such input")

    # --- R17: blobs ------------------------------------------------------------------------------

    def named(self):
        """Every blob is named in a log. Of a log that does not hold, nobody knows what it names."""
        if len(self.v.good_logs()) < len(self.v.logs):
            return
        fields = {
            (None, "roster"): "roster",
            (None, "asked"): "heads",
            (None, "reopened"): "heads",
            (None, "closed"): "published",
            (None, "released"): "release",
            ("node", "policy-approved"): "policy",
            ("node", "roster-approved"): "roster",
        }
        found = set()
        for log in self.v.good_logs():
            for entry in log.entries:
                field = fields.get((log.node and "node", entry["type"]))
                if field in entry:
                    found.add(entry[field])
        for walk in self.walks.values():
            found |= {e["release"] for _, e, debit in walk.releases if debit is None or not debit.regional}
        for name in self.v.bundle.files:
            if name.startswith("blobs/"):
                self.rule("R17").judge(name, name.removeprefix("blobs/") in found, "a blob that no log names")

    # --- R27 -----------------------------------------------------------------------------------

    def enough(self):
        self.v.report.cells = self.cells
        some = self.v.good_logs() and (self.v.report.releases or self.rounds_opened) and self.cells
        if some:
            self.rule("R27").ok()
        elif not any(rule.failed for rule in self.v.report.rules.values()):
            self.rule("R27").fail("bundle", "no log, no release and no round, or no cell")
