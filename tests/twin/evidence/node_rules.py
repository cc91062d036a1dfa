"""What one node's log shows: R10 to R15, R21 and R29."""

from .canon import Bad
from .entries import Chain, approved
from .question import SignedRequest
from .regional import certificate


class Debit:
    """A debit and what has become of it."""

    def __init__(self, index, entry, request):
        self.index, self.entry, self.request = index, entry, request
        self.regional = "regional" in entry
        self.round, self.nonce = entry["round"], entry["nonce"]
        self.state, self.carried = "open", False


class NodeWalk:
    """One pass through a node's log, with what is in force at each entry."""

    def __init__(self, verifier, log):
        self.v, self.log, self.node = verifier, log, log.node
        self.coordinator = verifier.good(None)
        self.debits, self.releases, self.masked = {}, [], {}
        self._approvers, self._policy, self._policy_hash = [], None, None
        self._chain, self._in_chain = Chain(), True
        self._roster, self._roster_hash = None, None
        self._imported, self._questions, self._approved = {}, {}, {}
        self._source, self._newest, self._first = None, {}, {}
        # What is stated of periods, by vintage; of debits; of what those paid for: a release or a round.
        self._stated, self._of_debit, self.covered = {}, {}, {}
        self._seeds, self._seed_at, self._used = 0, [], set()
        self._spent, self._ended, self._closed = {}, set(), set()
        for index, entry in enumerate(log.entries):
            self._in_chain = self._chain.take(entry)
            step = getattr(self, "on_" + entry["type"].replace("-", "_"), None)
            if step:
                step(f"{log.folder} {index}", index, entry)

    def rule(self, name):
        return self.v.report[name]

    # --- rules, rosters, registers, seeds ----------------------------------------

    def on_approvers(self, _where, _index, entry):
        self._approvers = entry["keys"]  # R08 has looked at the approvals

    def on_policy_approved(self, where, _index, entry):
        policy = self.v.policy(entry["policy"])
        message = bytes.fromhex(entry["policy"])
        if not self._in_chain or not approved(entry, "policy", message, self._approvers):
            self.rule("R11").fail(where, "the approvals of a policy")
        elif policy is None:
            self.rule("R11").fail(where, "the blob of a policy")
        else:
            self.rule("R11").ok()
        self._policy, self._policy_hash = policy, entry["policy"]

    def on_roster_approved(self, _where, _index, entry):
        self._roster, self._roster_hash = self.v.roster(entry), entry["roster"]

    def on_imported(self, where, index, entry):
        self._source = self._source or entry["source"]
        self.rule("R12").judge(where, entry["source"] == self._source, "an import of another data source")
        for period in entry["periods"]:
            key = entry["source"], period, entry["vintage"]
            self._imported.setdefault(key, (index, entry["register"], entry.get("events", False)))
            self._newest[entry["register"], entry["source"], period] = entry["vintage"]
            self._stated.setdefault((period, entry["vintage"]), entry.get("coverage"))

    def on_seeds(self, _where, index, entry):
        self._seeds = entry["first"] + len(entry["commitments"])
        self._seed_at.append((self._seeds, index))

    # --- questions ------------------------------------------------------------------

    def on_question(self, where, index, entry):
        try:
            question = SignedRequest(entry["request"], self.v.requests)
        except Bad as error:
            self.rule("R12").fail(where, error)
            self._asked(where, entry)
            return
        self._questions.setdefault(question.request.id, []).append((index, entry, question))
        self._asked(where, entry)
        holds, why = self._admitted(question)
        if holds is not None:
            self.rule("R12").judge(where, holds, why)

    def _unread(self):
        """Roster or policy is in force and cannot be used, which R11, R02 or R24 says."""
        roster = self._roster is None and self._roster_hash is not None
        return roster or (self._policy is None and self._policy_hash is not None)

    def _admitted(self, question):
        """(holds, what is wrong); None for what nobody can tell"""
        roster, policy = self._roster, self._policy
        if self._unread() and question.intent == "ask":
            return None, ""
        if roster is None or policy is None:
            return False, "no roster or no policy is in force"
        person = roster.persons.get(question.requester)
        if person is None or "requester" not in person["roles"]:
            return False, "the roster in force lists no such requester"
        if question.intent != "ask" or not question.is_signed(person["identity"]):
            return False, "the question is not signed for asking"
        why = policy.refuses(question.request, roster, self.node, self.v.bundle.region)
        if why is None and not self._holds(question.request):
            why = "register"
        return why is None, f"the policy in force does not admit it: {why}"

    def _holds(self, request):
        """Every period of the request has been read from its register, with events if it is about them."""
        of = [(period, found) for (_, period, _), found in self._imported.items() if found[1] == request.register]
        held = {period for period, (_, _, events) in of if events or not request.most}
        return set(request.periods) <= held

    def _asked(self, where, entry):
        """R10: the coordinator's log asks this."""
        if self.coordinator is None:
            return
        asked, entries = entry["asked"], self.coordinator.entries
        inside = asked["index"] < asked["size"] and asked["index"] < len(entries)
        other = entries[asked["index"]] if inside else {"type": None}
        same = other["type"] in ("asked", "reopened") and self.node in other["nodes"]
        same = same and all(other[x] == entry[x] for x in ("deadline", "nonce", "request", "round"))
        heads = self.v.heads_of(other) if same else None
        if same and heads is None:
            return  # R06 says so
        same = same and heads.get(self.node, [None])[0] == entry["known"]
        self.rule("R10").judge(where, same, "the coordinator's log does not ask this there")

    def on_approved(self, _where, index, entry):
        """A yes of the rules counts only under rules that give it themselves."""
        unread = self._policy is None and self._policy_hash is not None
        if entry["by"] == "person" or unread or (self._policy and self._policy.auto):
            self._approved[entry["request"]] = index

    # --- debits ----------------------------------------------------------------------

    def on_debit(self, where, index, entry):
        request = self.v.requests.read(entry["request"])
        debit = Debit(index, entry, request)
        self.debits[index] = debit
        stated = [(p, self._stated.get((p, v))) for p, v in zip(entry["periods"], entry["vintages"])]
        self._of_debit[index] = [one for one in stated if one[1]]
        if debit.regional:
            self.covered[entry["round"]] = self._of_debit[index]
        known = entry["policy"] == self._policy_hash
        self.rule("R11").judge(where, known, "the debit names another policy than the one in force")
        question = self._question_of(debit)
        self.rule("R13").judge(where, *self._follows(debit, question))
        if question:
            self._still_allowed(where, debit, question)
        self._spend(where, debit)
        if debit.regional:
            self._pin(debit)
        self._cost(where, debit)
        if debit.regional:
            self._round(where, debit, entry["round"], entry["nonce"], entry["attempt"])
        self._seed(where, debit, entry["seed"], self._coordinator_entry(debit, question))

    def _question_of(self, debit):
        """The newest question of its request, one that was answered yes if there is such; per
        organisation, of its nonce and round."""
        asked = self._questions.get(debit.request.id, []) if debit.request else []
        if not debit.regional:
            named = debit.entry["nonce"], debit.entry["round"]
            asked = [one for one in asked if (one[1]["nonce"], one[1]["round"]) == named]
        yes = self._approved.get(debit.request.id, -1) if debit.request else -1
        return next((one for one in reversed(asked) if one[0] < yes), asked[-1] if asked else None)

    def _follows(self, debit, question):
        entry = debit.entry
        if question is None:
            return False, "a debit without its question"
        if self._approved.get(debit.request.id, -1) < question[0]:
            return False, "a debit without a yes to its question"
        same = entry["requester"] == question[2].requester and entry["node"] == self.node
        same = same and entry["periods"] == debit.request.periods
        kind = debit.regional == debit.request.regional
        return same and kind, "a debit of another requester, node, period or kind than its question"

    def _still_allowed(self, where, debit, question):
        """R12, at the debit: the signature still stands, and the rules and register admit it."""
        signed_request, entry = question[2], debit.entry
        rule, holds = self.rule("R12"), signed_request.not_after >= entry["time"]
        why = "the question's signature had run out"
        if holds and self._policy and self._roster:
            refusal = self._policy.refuses(debit.request, self._roster, self.node, self.v.bundle.region)
            holds, why = refusal is None, f"the policy does not admit the debit: {refusal}"
        for period, vintage in zip(entry["periods"], entry["vintages"]):
            found = self._imported.get((entry["source"], period, vintage))
            if holds and (found is None or found[1] != debit.request.register):
                holds, why = False, f"{period} of this register is not held"
            if holds and debit.request.most and not found[2]:
                holds, why = False, f"{period} is held without events"
            newest = self._newest.get((debit.request.register, entry["source"], period))
            if holds and vintage != self._first.get((entry["source"], period), newest):
                holds, why = False, f"{period} is neither in the extract first released from nor in the newest"
        if not holds:
            rule.fail(where, why)

    def _pin(self, debit):
        """Of what a period was first released, it is released ever after."""
        for period, vintage in zip(debit.entry["periods"], debit.entry["vintages"]):
            self._first.setdefault((debit.entry["source"], period), vintage)

    def _spend(self, where, debit):
        entry, policy = debit.entry, self._policy
        rho, delta = entry["cost"]["nano_rho"], entry["cost"]["atto_delta"]
        fits = self._policy_hash is not None
        for period in entry["periods"]:
            key = entry["source"], period
            spent = self._spent.setdefault(key, {"rho": 0, "delta": 0, "debits": 0, "by": {}})
            who = spent["by"].get(entry["requester"], 0) + rho
            spent["by"][entry["requester"]] = who
            spent["rho"], spent["delta"] = spent["rho"] + rho, spent["delta"] + delta
            spent["debits"] += 1
            fits = fits and key not in self._ended
            if policy:
                fits = fits and spent["rho"] <= policy.rho and spent["delta"] <= policy.delta
                fits = fits and who <= policy.rho_of_requester
        if fits and policy is None:
            return  # R11 says so
        self.rule("R14").judge(where, fits, "more than the allowance, or of a period that has ended")

    def _cost(self, where, debit):
        entry, policy, request = debit.entry, self._policy, debit.request
        rule = self.rule("R15")
        if policy is None and self._policy_hash is not None:
            return  # R11 says so
        if request is None or policy is None or debit.regional != request.regional:
            rule.fail(where, "a cost that follows from no request or policy")
            return
        faults = []
        if entry["cost"] != request.cost(policy.gate):
            faults.append("its cost")
        if debit.regional:
            faults += self._regional_terms(debit, policy)
            faults += ["tau"] if "tau" in entry else []
        elif entry["k"] != policy.k:
            faults.append("k")
        elif entry.get("tau") != request.tau(policy.k, policy.gate):
            faults.append("tau")
        rule.judge(where, not faults, f"{', '.join(faults)} does not follow")

    def _regional_terms(self, debit, policy):
        """k and h of a regional debit: from the round's specification and the roster in force."""
        regional, k = debit.entry["regional"], debit.entry["k"]
        spec = self.v.specs.get(debit.round)
        if k < policy.k or (spec is not None and k != spec["k"]):
            yield "k"
        roster = self._roster
        same = regional["roster"] == self._roster_hash
        if not same or (roster and regional["h"] != roster.quorum.h):
            yield "roster or h"

    def _round(self, where, debit, round_id, nonce, attempt):
        """R26: a regional debit or carry is of a round that began, and says what that says."""
        if self.coordinator is None:
            return
        spec, request = self.v.specs.get(round_id), debit.request
        if spec is None:
            self.rule("R26").fail(where, "of a round that never began")
            return
        said = nonce, attempt, debit.entry["regional"]["roster"], request.id if request else None
        holds = said == tuple(spec[x] for x in ("nonce", "attempt", "roster", "request"))
        self.rule("R26").judge(where, holds, "another nonce, attempt, roster or request than its round's")

    # --- R21 ---------------------------------------------------------------------------

    def _coordinator_entry(self, debit, question):
        """The `asked` or `reopened` that a debit comes from, or None."""
        if self.coordinator is None:
            return None
        if not debit.regional:
            return self.v.by_nonce.get((debit.nonce, debit.round))
        entries = self.coordinator.entries
        at = question[1]["asked"]["index"] if question else len(entries)
        found = entries[at] if at < len(entries) else None
        return found if found and found["type"] in ("asked", "reopened") else None

    def _seed(self, where, debit, seed, asked):
        rule = self.rule("R21")
        if seed in self._used:
            rule.fail(where, f"seed {seed} is used twice")
            return
        self._used.add(seed)
        at = next((index for end, index in self._seed_at if seed < end), None)
        if at is None:
            rule.fail(where, f"seed {seed} was never fixed")
            return
        if self.coordinator is None:
            return
        heads = self.v.heads_of(asked) if asked else {}
        if heads is None:
            return  # R06 says so
        if self.node not in heads:
            rule.fail(where, "the coordinator has recorded no head of this node before the nonce")
            return
        size, entry = heads[self.node][0], debit.entry
        below = [at]
        for period, vintage in zip(entry["periods"], entry["vintages"]):
            at = [index for (_, p, v), (index, *_) in self._imported.items() if (p, v) == (period, vintage)]
            below.append(min(at, default=size))
        rule.judge(where, max(below) < size, "seed or register is not before the nonce")

    # --- ends ----------------------------------------------------------------------------

    def _end(self, where, entry):
        debit = self.debits.get(entry["debit"])
        holds = debit is not None and debit.state == "open"
        self.rule("R13").judge(where, holds, "it ends no open debit")
        return debit if holds else None

    def on_abort(self, where, _index, entry):
        debit = self._end(where, entry)
        if debit:
            debit.state = "aborted"

    def on_release(self, where, index, entry):
        ended, debit = self._end(where, entry), self.debits.get(entry["debit"])
        self.releases.append((index, entry, debit))
        if debit is None or not debit.regional:
            self.covered[entry["release"]] = self._of_debit.get(entry["debit"], [])
        if debit is None:
            return
        self._pin(debit)
        if ended:
            debit.state = "released"
        if debit.request is None or entry["request"] != debit.request.id:
            self.rule("R13").fail(where, "a release of another request than its debit's")
        if debit.regional:
            known = any(entry["release"] in named for named in self.masked.values())
            self.rule("R29").judge(where, known, "no masked input of this hash was made before")

    def on_masked(self, _where, _index, entry):
        self.masked.setdefault(entry["round"], set()).add(entry["masked"])

    def on_carry(self, where, _index, entry):
        self.covered[entry["round"]] = self._of_debit.get(entry["debit"], [])
        debit = self.debits.get(entry["debit"])
        open_to = debit is not None and debit.state == "aborted" and debit.regional
        open_to = open_to and not debit.carried
        self.rule("R13").judge(where, open_to, "it carries over no aborted regional debit, or one twice")
        if debit is None or not debit.regional:
            self.rule("R29").fail(where, "a certificate for no regional debit")
            if entry["seed"] in self._used:
                self.rule("R21").fail(where, f"seed {entry['seed']} is used twice")
            self._used.add(entry["seed"])
            return
        over = any((debit.entry["source"], period) in self._ended for period in debit.entry["periods"])
        self.rule("R14").judge(where, not over, "a carry to a period that has ended")
        self._round(where, debit, entry["round"], entry["nonce"], 1)
        named = debit.entry["regional"]
        roster = self.v.roster_of_hash(named["roster"])
        try:
            if not self.v.unread(named["roster"]):
                session = certificate(bytes.fromhex(entry["certificate"]), roster) if roster else None
                why = "the certificate is of another session or roster"
                self.rule("R29").judge(where, session == named["session"], why)
        except Bad as error:
            self.rule("R29").fail(where, error)
        question = self._question_of(debit)
        self._seed(where, debit, entry["seed"], self._coordinator_entry(debit, question))
        if open_to:
            debit.state, debit.carried = "open", True

    # --- periods ---------------------------------------------------------------------------

    def on_closed(self, where, _index, entry):
        key = entry["source"], entry["period"]
        if key in self._closed:
            self.rule("R14").fail(where, "a period closed twice")
        self._closed.add(key)
        spent = self._spent.get(key, {"rho": 0, "delta": 0, "debits": 0})
        said = entry["nano_rho"], entry["atto_delta"], entry["debits"]
        found = spent["rho"], spent["delta"], spent["debits"]
        self.rule("R14").judge(where, said == found, "the sums of a closed period")
        self._ended.add(key)

    def on_recovered(self, _where, _index, entry):
        self._ended |= {(entry["source"], period) for period in entry["periods"]}
