"""Requests, policies and rosters: their one form, what they cost and what they allow."""

import functools
import json
import math
import pathlib
from fractions import Fraction

import discrete_gaussian

from .canon import Bad, ascending, decode, encode, is_digest, is_int, is_name, is_period, need, sha, signed

MEASURES, PURPOSES = ("clients", "score", "events"), ("structural-social-work", "knowledge-management", "statistics")
MOST_CELLS = {"per_node": 50_000, "regional": 1_000_000}
LARGEST_BOUND, MOST_EVENTS = 32, 100
NANO, ATTO_OF_SAMPLER = 10**9, 113_687
ANY = "ANY"

# --- the codebook -------------------------------------------------------------


@functools.cache
def codebooks():
    """Every codebook ever shipped, by its hash; the newest last."""
    config = pathlib.Path(__file__).resolve().parents[3] / "config"
    earlier = sorted((config / "codebooks").glob("*.json"), key=lambda path: int(path.stem))
    books = [read_codebook(path) for path in [*earlier, config / "codebook.json"]]
    return {book[0]: book for book in books}


def codebook():
    """The newest one."""
    return list(codebooks().values())[-1]


def read_codebook(path):
    """(hash, dimensions as id -> (exclusive, codes), scores as id -> (lo, hi))"""
    data = path.read_bytes()
    file = json.loads(data)
    dimensions = {d["id"]: (d["kind"] == "exclusive", [c["code"] for c in d["codes"]]) for d in file["dimensions"]}
    return sha(data), dimensions, {s["id"]: (s["lo"], s["hi"]) for s in file["scores"]}


# --- numbers ------------------------------------------------------------------


def ceiling(a, b):
    return -(-a // b)


def in_range(variance):
    """A standard deviation of 1 to 65,536, and a denominator of at most 2^24."""
    small = variance.denominator <= 1 << 24
    return small and 1 <= variance <= 1 << 32


@functools.lru_cache(maxsize=4096)
def tau(k, variance, gate, touched):
    found = discrete_gaussian.threshold(k, variance, gate, touched)
    discrete_gaussian.KNOWN.clear()
    return found


@functools.lru_cache(maxsize=4096)
def half_width_of_draw(variance):
    found = discrete_gaussian.half_width_95(variance)
    discrete_gaussian.KNOWN.clear()
    return found


def half_width(variance, draws):
    """The least integer at or above 1.96 sqrt(draws variance)."""
    target = ceiling(38_416 * draws * variance.numerator, 10_000 * variance.denominator)
    root = math.isqrt(target)
    return root if root * root == target else root + 1


# --- requests -----------------------------------------------------------------


class Request:
    """A valid request; `Bad` otherwise."""

    MUST = {"by", "codebook", "measure", "periods", "purpose", "region", "register", "release", "v", "variance"}
    MAY = {"max_events", "max_per_client", "score", "where"}

    def __init__(self, value):
        need(isinstance(value, dict), "a request that is no object")
        need(self.MUST <= value.keys() <= self.MUST | self.MAY, "the fields of a request")
        self.value, self.bytes = value, encode(value)
        self.id = sha(self.bytes)
        need(value["v"] == 1 and type(value["v"]) is int, "the version of a request")
        need(isinstance(value["codebook"], str), "the codebook of a request")
        need(value["codebook"] in codebooks(), "a request of a codebook that nobody knows")
        _, dimensions, scores = codebooks()[value["codebook"]]
        need(value["measure"] in MEASURES and value["purpose"] in PURPOSES, "measure or purpose")
        need(isinstance(value["release"], str) and value["release"] in MOST_CELLS, "the kind of a table")
        need(is_name(value["region"]) and is_name(value["register"]), "region or register")
        self.region, self.register = value["region"], value["register"]
        self.regional = value["release"] == "regional"
        self.periods = self._rising(value["periods"], is_period)
        need(1 <= len(self.periods) <= 20, "the number of periods")
        self.by = self._rising(value["by"], lambda one: isinstance(one, str) and one in dimensions)
        self.where = value.get("where", {})
        need(isinstance(self.where, dict) and self.where or "where" not in value, "an empty filter")
        for dimension, codes in self.where.items():
            need(dimension in dimensions, "a filter on an unknown dimension")
            known = dimensions[dimension][1]
            self._rising(codes, lambda one, known=known: isinstance(one, str) and one in known)
            need(0 < len(codes) < len(known), "a filter of no code or of all")
        variance = value["variance"]
        need(isinstance(variance, list) and len(variance) == 2, "the variance")
        need(all(is_int(part, 1) for part in variance), "the variance")
        self.variance = Fraction(*variance)
        reduced = [self.variance.numerator, self.variance.denominator] == variance
        need(reduced and in_range(self.variance), "the variance")
        self.score = None
        if value["measure"] == "score":
            need(isinstance(value.get("score"), str) and value["score"] in scores, "the score")
            self.score = scores[value["score"]]
        else:
            need("score" not in value, "a score without its measure")
        # How many events of one client each figure counts; None where events are not measured.
        self.most = value.get("max_events")
        if value["measure"] == "events":
            need(is_int(self.most, 1, MOST_EVENTS), "the most events of a client")
        else:
            need("max_events" not in value, "a bound on events without the measure")
        self._domain(dimensions)
        bound = value.get("max_per_client")
        need((bound is not None) == self.has_any, "a bound where there is none, or none")
        if self.has_any:
            need(is_int(bound, 1, LARGEST_BOUND) and bound < self.stride, "the bound")
        self.touched = bound + 1 if self.has_any else 1
        self.total = self.cells * len(self.periods)
        need(self.total <= MOST_CELLS[value["release"]], "too many cells")
        self._vectors()

    @staticmethod
    def _rising(items, check):
        need(isinstance(items, list) and all(map(check, items)) and ascending(items), "a list of a request")
        return items

    def _domain(self, dimensions):
        """Exclusive dimensions first, then those of several categories, each by id."""
        self.axes = []
        for exclusive in (True, False):
            self.axes.append(
                [
                    (name, [c for c in dimensions[name][1] if c in self.where.get(name, dimensions[name][1])])
                    for name in self.by
                    if dimensions[name][0] == exclusive
                ]
            )
        self.has_any = bool(self.axes[1])
        first, second = (math.prod(len(codes) for _, codes in axes) for axes in self.axes)
        self.stride = second + 1 if self.has_any else second
        self.cells = first * self.stride

    def _vectors(self):
        """(most one client moves a cell, L1, squared L2, variance) of each vector of a period."""
        d = self.touched
        self.vectors = [(1, d, d, self.variance)]
        # A companion moves by up to r where its clients move by one.
        r = self.score[1] - self.score[0] if self.score else self.most
        if r:
            self.vectors.append((r, d * r, d * r * r, self.variance * r * r))
        self.sound_noise = all(in_range(one[3]) for one in self.vectors)

    def codes(self, cell):
        """The codes of a cell, by dimension."""
        found, (left, right) = {}, divmod(cell, self.stride)
        last = self.has_any and right == self.stride - 1
        for axes, place in ((self.axes[1], right), (self.axes[0], left)):
            for name, codes in reversed(axes):
                place, at = divmod(place, len(codes))
                found[name] = ANY if last and axes is self.axes[1] else codes[at]
        return found

    def any_of(self, cell):
        """The cell of distinct clients beside a cell, or None."""
        if not self.has_any or (cell + 1) % self.stride == 0:
            return None
        return cell // self.stride * self.stride + self.stride - 1

    def cost(self, gate):
        """The cost of one period; a regional table has no gate."""
        rho = 0
        for _, l1, l2, v in self.vectors:
            num, den = v.numerator, v.denominator
            first = ceiling(NANO * l2 * den, 2 * num)
            rho += first
            if self.regional:
                rho += ceiling(first * den, num)
                rest = max(0, 6 * l1 - l2)
                rho += ceiling(ceiling(NANO // 4 * rest * den, num) * den, num)
        return {"atto_delta": ATTO_OF_SAMPLER if self.regional else gate, "nano_rho": rho}

    def tau(self, k, gate):
        return tau(k, self.variance, gate, self.touched)

    def layout(self):
        """(bits, cells) of each vector of a masked input."""
        return [(64 if v else 32, self.cells) for _ in self.periods for v in range(len(self.vectors))]


class Requests:
    """Requests read once for each form."""

    def __init__(self):
        self.known = {}

    def read(self, value):
        """A `Request`, or None."""
        try:
            key = sha(encode(value))
        except (UnicodeEncodeError, ValueError):
            return None
        if key not in self.known:
            try:
                self.known[key] = Request(value)
            except Bad:
                self.known[key] = None
        return self.known[key]


class SignedRequest:
    """A question with its requester's signature, not yet checked."""

    def __init__(self, value, requests):
        fields = {"intent", "not_after", "request", "requester", "signature"}
        need(isinstance(value, dict) and value.keys() == fields, "the fields of a signed request")
        need(value["intent"] in ("ask", "quote"), "the intent")
        need(is_int(value["not_after"]) and is_name(value["requester"]), "a signed request")
        self.value, self.intent, self.not_after = value, value["intent"], value["not_after"]
        self.requester = value["requester"]
        self.request = requests.read(value["request"])
        need(self.request is not None, "a signed request whose request is none")

    def is_signed(self, key):
        message = {
            "id": self.request.id,
            "intent": self.intent,
            "not_after": self.not_after,
            "region": self.request.region,
            "requester": self.requester,
        }
        return signed(key, self.value["signature"], "request", encode(message))


# --- rosters ------------------------------------------------------------------


def strict_in_range(eta, j, k):
    pair = isinstance(eta, list) and len(eta) == 2 and all(is_int(x, 1) for x in eta)
    fraction = pair and eta[1] <= 10**9 and 2 * eta[0] <= eta[1]
    return fraction and is_int(j, 1, 100) and is_int(k, 3, 10**6)


class Quorum:
    """n, c, t, u_min and h; `sound` when there can be regional tables."""

    def __init__(self, n, floor_c):
        self.n, self.c = n, max(floor_c, 1, n // 5)
        self.t = (n + self.c) // 2 + 1
        self.u_min = max(self.t, n - max(1, n // 10))
        self.h = self.u_min - self.c
        self.sound = 5 <= n <= 500 and self.t <= n and self.t - self.c >= 3
        self.erasures = n + self.c - self.t + 1


class Roster:
    """A roster; `Bad` if it is malformed. Its signature stands in the entries that name it."""

    def __init__(self, data):
        value = decode(data)
        fields = {"coordinator", "epoch", "floor", "nodes", "persons", "region", "v"}
        need(isinstance(value, dict) and value.keys() == fields, "the fields of a roster")
        need(value["v"] == 1 and type(value["v"]) is int, "the version of a roster")
        need(is_int(value["epoch"]) and is_name(value["region"]), "epoch or region of a roster")
        self.bytes = bytes(data)
        self.hash, self.epoch, self.region = sha(self.bytes), value["epoch"], value["region"]
        self.coordinator, self.floor = value["coordinator"], value["floor"]
        need(self._keys(self.coordinator, "log", "witness"), "the coordinator of a roster")
        need(len(self.coordinator) == 2, "the coordinator of a roster")
        floor = self.floor
        need(isinstance(floor, dict) and floor.keys() == {"c", "eta", "j", "k"}, "a floor")
        need(is_int(floor["c"], 0, 2**32 - 1), "a floor")
        need(strict_in_range(floor["eta"], floor["j"], floor["k"]), "a floor out of range")
        self.nodes = self._members(value["nodes"], {"areas", "identity", "log", "name", "witness"})
        self.persons = self._members(value["persons"], {"identity", "name", "roles"})
        self.places = list(self.nodes)
        keys = [self.coordinator["log"], self.coordinator["witness"]]
        for one in self.nodes.values():
            need(self._keys(one, "identity", "log", "witness"), "the keys of a node")
            need(isinstance(one["areas"], list), "areas")
            need(all(isinstance(area, str) for area in one["areas"]), "areas")
            keys += [one["identity"], one["log"], one["witness"]]
        for one in self.persons.values():
            need(is_digest(one["identity"]) and isinstance(one["roles"], list), "a person")
            need(all(role in ("requester", "auditor") for role in one["roles"]), "a role")
            keys.append(one["identity"])
        need(len(keys) == len(set(keys)), "a key twice in a roster")
        self.quorum = Quorum(len(self.nodes), floor["c"])

    @staticmethod
    def _keys(value, *names):
        return isinstance(value, dict) and all(is_digest(value.get(name)) for name in names)

    @staticmethod
    def _members(items, fields):
        need(isinstance(items, list), "the members of a roster")
        need(all(isinstance(one, dict) and one.keys() == fields for one in items), "a member")
        need(all(is_name(one["name"]) for one in items), "the name of a member")
        need(ascending([one["name"] for one in items]), "members out of order")
        return {one["name"]: one for one in items}

    def signed_by(self, governance, signature):
        return signed(governance, signature, "roster", self.bytes)

    def cosigners_needed(self):
        """Of the coordinator's checkpoint: t nodes, or more than two thirds."""
        return self.quorum.t if self.quorum.sound else 2 * len(self.nodes) // 3 + 1


# --- policies -----------------------------------------------------------------


class Policy:
    """The rules of a node; `Bad` if they are none."""

    def __init__(self, data):
        value = decode(data)
        fields = {"allowance", "approval", "k", "regional", "tables"}
        need(isinstance(value, dict) and value.keys() == fields, "the fields of a policy")
        need(value["approval"] in ("each", "auto"), "the approval of a policy")
        allowance, regional, tables = value["allowance"], value["regional"], value["tables"]
        must = {"atto_delta_per_period", "gate_atto_delta", "nano_rho_per_period"}
        need(isinstance(allowance, dict) and must <= allowance.keys(), "an allowance")
        need(allowance.keys() <= must | {"nano_rho_per_requester"}, "an allowance")
        need(all(map(is_int, allowance.values())), "an allowance")
        self.gate = allowance["gate_atto_delta"]
        self.rho, self.delta = allowance["nano_rho_per_period"], allowance["atto_delta_per_period"]
        self.rho_of_requester = allowance.get("nano_rho_per_requester", self.rho)
        need(10**9 <= self.gate <= 10**12, "the gate of a policy")
        need(1 <= self.rho <= 10**10 and self.gate <= self.delta <= 10**15, "an allowance out of range")
        need(isinstance(regional, dict) and regional.keys() == {"chance_below_k", "nodes_per_person"}, "regional")
        self.k, self.j, self.eta = value["k"], regional["nodes_per_person"], regional["chance_below_k"]
        need(strict_in_range(self.eta, self.j, self.k), "k or regional out of range")
        fields = {"dimensions", "measures", "most_cells", "most_per_client", "purposes"}
        need(isinstance(tables, dict) and tables.keys() == fields, "the tables of a policy")
        for name in ("dimensions", "measures", "purposes"):
            items = tables[name]
            need(isinstance(items, list) and all(isinstance(x, str) for x in items), "a list of a policy")
        need(set(tables["measures"]) <= set(MEASURES), "a measure of a policy")
        need(set(tables["purposes"]) <= set(PURPOSES), "a purpose of a policy")
        need(is_int(tables["most_cells"]) and is_int(tables["most_per_client"], 0, 255), "limits of a policy")
        self.tables, self.auto = tables, value["approval"] == "auto"

    def refuses(self, request, roster, node, region):
        """Why these rules do not admit a request, or None. What a node holds is looked at elsewhere."""
        value, tables = request.value, self.tables
        areas = roster.nodes[node]["areas"] if node in roster.nodes else []
        served = not request.where.get("area") or set(request.where["area"]) & set(areas)
        quorum = roster.quorum
        reasons = [
            ("region", request.region == region),
            ("floor", self.k >= roster.floor["k"]),
            ("purpose", value["purpose"] in tables["purposes"]),
            ("measure", value["measure"] in tables["measures"]),
            ("dimension", {*request.by, *request.where} <= set(tables["dimensions"])),
            ("cells", request.total <= tables["most_cells"]),
            ("bound", value.get("max_per_client", 0) <= tables["most_per_client"]),
            ("area", served or request.regional),
            ("noise", request.sound_noise),
            ("quorum", not request.regional or quorum.sound),
        ]
        if request.regional and quorum.sound:
            means = [ceiling((v.numerator << 20), 2 * quorum.h * v.denominator) for *_, v in request.vectors]
            reasons.append(("noise", all(mean <= 1 << 40 for mean in means)))
        return next((name for name, holds in reasons if not holds), None)
