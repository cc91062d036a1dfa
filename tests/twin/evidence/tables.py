"""Releases, what combining them gives, and published tables (docs/privacy.md)."""

import functools
import math
import struct
from fractions import Fraction

from .canon import Bad, decode, encode, is_digest, is_int, is_name, is_period, need
from .question import half_width, half_width_of_draw

LARGEST_VALUE = 1 << 40
CELL = struct.Struct(">Bq")
HEADER = {"attempt", "cost", "k", "node", "policy", "request", "round", "tau", "v", "vintages"}

# --- a release ----------------------------------------------------------------


class Release:
    """The bytes of a release; `Bad` when its length or shape is not that of its request."""

    def __init__(self, data, requests):
        need(len(data) >= 4, "too short")
        length = int.from_bytes(data[:4], "big")
        need(4 + length <= len(data), "its header is cut off")
        self.header_bytes, body = data[4 : 4 + length], data[4 + length :]
        header = decode(self.header_bytes)
        need(isinstance(header, dict) and header.keys() == HEADER, "the fields of its header")
        self.request = requests.read(header["request"])
        need(self.request is not None, "its request is none")
        need(not self.request.regional, "its request is for a regional table")
        fixed = all(type(header[x]) is int and header[x] == y for x, y in (("attempt", 0), ("v", 1)))
        need(fixed, "attempt or version of its header")
        need(is_int(header["tau"], -(2**53)) and is_int(header["k"]), "tau or k of its header")
        need(is_name(header["node"]) and is_digest(header["policy"]), "node or policy of its header")
        vintages = header["vintages"]
        need(isinstance(vintages, list) and all(map(is_digest, vintages)), "vintages of its header")
        need(len(vintages) == len(self.request.periods), "vintages of its header")
        need(is_digest(header["round"]), "round of its header")
        cost = header["cost"]
        need(isinstance(cost, dict) and cost.keys() == {"atto_delta", "nano_rho"}, "its cost")
        need(all(map(is_int, cost.values())), "its cost")
        self.header = header
        r = self.request
        self.per_period = len(r.vectors)
        wanted = r.total * self.per_period * CELL.size
        need(len(body) == wanted, f"{len(body)} bytes of cells, not {wanted}")
        self.cells = list(CELL.iter_unpack(body))
        odd = [c for c in self.cells if c[0] > 1 or abs(c[1]) > LARGEST_VALUE]
        need(not odd, "a cell that is neither published nor withheld, or out of range")

    def vectors_of(self, period):
        """The vectors of a period, as lists of (published, value)."""
        size = self.request.cells
        start = period * self.per_period * size
        return [self.cells[start + v * size : start + (v + 1) * size] for v in range(self.per_period)]

    def faults_of_gate(self):
        """What is wrong with what is published, by its own tau."""
        threshold = self.header["tau"]
        if any(not shown and value for shown, value in self.cells):
            yield "a withheld cell that is not zero"
        for period in range(len(self.request.periods)):
            first, *others = self.vectors_of(period)
            for c, (shown, value) in enumerate(first):
                if shown and value < threshold:
                    yield f"cell {c} of period {period} is {value}, under {threshold}"
                if any(other[c][0] != shown for other in others):
                    yield f"cell {c} of period {period} is published in one vector only"

    def published(self):
        """How many cells are published."""
        periods = range(len(self.request.periods))
        return sum(shown for p in periods for shown, _ in self.vectors_of(p)[0])


# --- ratios -------------------------------------------------------------------


def ratio(above, below, sd_above, sd_below):
    """above / below with Fieller's 95 % interval, in doubles; None if too noisy."""
    s, n = float(above), float(below)
    if n < 5.0 * sd_below:
        return None
    z2 = 1.96 * 1.96
    a = n * n - z2 * sd_below * sd_below
    c = s * s - z2 * sd_above * sd_above
    root = math.sqrt(max(s * s * n * n - a * c, 0.0))
    return s / n, (s * n - root) / a, (s * n + root) / a


def rounded(x):
    """To the nearest integer, halves away from zero."""
    whole = math.floor(abs(x))
    whole += abs(x) - whole >= 0.5
    return int(math.copysign(whole, x))


def mean(count, total, draws, sd, score):
    """The mean of a score in thousandths with its interval, or None."""
    lo, hi = score
    sd_count = sd * math.sqrt(float(draws))
    found = ratio(total, count, sd_count * float(hi - lo), sd_count) if draws else None
    if found is None:
        return None
    value, low, high = ((float(lo + hi) / 2.0 + x / 2.0) * 1000.0 for x in found)
    return rounded(value), math.floor(low), math.ceil(high)


def per_client(events, clients, draws, sd, most):
    """Events per client in thousandths, as [value, low, high], or None."""
    sd_clients = sd * math.sqrt(float(draws))
    found = ratio(events, clients, sd_clients * float(most), sd_clients)
    if found is None:
        return None
    value, low, high = (x * 1000.0 for x in found)
    return [rounded(value), math.floor(low), math.ceil(high)]


# --- a table per organisation -------------------------------------------------


def empty_cell(codes):
    return {"codes": codes, "near_threshold": False, "nodes_suppressed": 0, "state": "suppressed"}


def combine(request, releases, missing):
    """The published table of these releases; `missing` from names to reasons."""
    releases = sorted(releases, key=lambda one: one.header["node"])
    draw, variance = half_width_of_draw(request.variance), request.variance
    sd = math.sqrt(variance.numerator / variance.denominator)
    two_sd = math.isqrt(4 * variance.numerator // variance.denominator)
    cells = []
    for p, period in enumerate(request.periods):
        parts = [(one.header["tau"], one.vectors_of(p)) for one in releases]
        for c in range(request.cells):
            cell = empty_cell(request.codes(c) | {"period": period})
            count = total = draws = slack = 0
            for tau, vectors in parts:
                shown, value = vectors[0][c]
                if shown:
                    count, draws = count + value, draws + 1
                    cell["near_threshold"] |= value < tau + two_sd
                    total += vectors[1][c][1] if len(vectors) > 1 else 0
                else:
                    cell["nodes_suppressed"] += 1
                    slack += tau + draw
            if request.score:
                found = mean(count, total, draws, sd, request.score)
                if found:
                    cell |= {"state": "published", "clients": count, "sum": total}
                    cell |= dict(zip(("value", "low", "high"), found))
            elif request.most:
                # Who withholds has no more than so many clients, with so many events each.
                half = half_width(variance * request.most**2, draws)
                cell |= {"low": total - half if draws else 0, "high": total + half + slack * request.most}
                if draws:
                    cell |= {"state": "published", "value": total, "clients": count}
                    found = per_client(total, count, draws, sd, request.most)
                    cell |= {"per_client": found} if found else {}
            else:
                half = half_width(variance, draws)
                cell |= {"low": count - half if draws else 0, "high": count + half + slack}
                if draws:
                    cell |= {"state": "published", "value": count}
            cells.append(cell)
    terms = [
        {"cells_published": one.published()} | {x: one.header[x] for x in ("k", "node", "policy", "tau")}
        for one in releases
    ]
    cost = {name: max((one.header["cost"][name] for one in releases), default=0) for name in ("atto_delta", "nano_rho")}
    return {
        "cells": cells,
        "cost": cost,
        "id": request.id,
        "nodes_counted": [one["node"] for one in terms],
        "nodes_missing": [{"node": n, "reason": missing[n]} for n in sorted(missing)],
        "per_node": terms,
        "request": request.value,
        "scale": 1000 if request.score else 1,
        "v": 1,
    }


# --- a regional table ---------------------------------------------------------


def _weights(variance):
    """Of reach, ..., 1, 0: k and the weight of Skellam noise, all times one number.

    Backward: the next lower weight is the one two above it, plus 2 k / V times the one
    between. Integers, so that only divisions lose anything, under 2^-200 of a weight.
    """
    num, den = variance.numerator, variance.denominator
    reach = 16 * (math.isqrt(num // den) + 1) + 40
    outer, term = 0, 1 << 200
    yield reach, term
    for k in range(reach, 0, -1):
        outer, term = term, outer + 2 * k * den * term // num
        yield k - 1, term


@functools.lru_cache(maxsize=4096)
def least_margin(variance, allowed):
    """The least z >= 0 with P[Z >= z] (1 + 2^-26) <= allowed, for Skellam noise."""
    total = last = 0
    for _, last in _weights(variance):
        total += last
    whole = 2 * total - last
    limit = allowed.numerator * whole << 26
    tail = 0
    for k, weight in _weights(variance):
        tail += weight
        if tail * ((1 << 26) + 1) * allowed.denominator > limit:
            return k + 1
    return 0


class SumNoise:
    """The noise in a sum of m nodes: its variance, threshold, and the half-width of its figures."""

    def __init__(self, request, quorum, m, eta, j, k):
        self.variance = request.variance * m / quorum.h
        self.threshold = j * (k - 1) + least_margin(self.variance, Fraction(*eta) / request.total)
        self.half_width = least_margin(self.variance * (request.most or 1) ** 2, Fraction(25, 1000)) - 1
        self.sd = math.sqrt(self.variance.numerator / self.variance.denominator)


def publish(request, spec, round_id, quorum, counted, missing, vectors):
    """The published table of an opened sum, from its vectors in order."""
    noise = SumNoise(request, quorum, len(counted), spec["eta"], spec["j"], spec["k"])
    near = noise.threshold + math.ceil(2.0 * noise.sd)
    cells, per_period = [], len(request.vectors)
    for p, period in enumerate(request.periods):
        words = vectors[p * per_period : (p + 1) * per_period]
        for c in range(request.cells):
            cell, count = empty_cell(request.codes(c) | {"period": period}), words[0][c]
            if count >= noise.threshold:
                cell["near_threshold"] = count < near
                _figure(cell, request, noise, c, words)
            cells.append(cell)
    regional = {x: spec[x] for x in ("c", "eta", "h", "j", "k", "n", "t", "u_min")} | {
        "round": round_id,
        "threshold": noise.threshold,
        "variance_present": [noise.variance.numerator, noise.variance.denominator],
    }
    return {
        "cells": cells,
        "cost": request.cost(0),
        "id": request.id,
        "nodes_counted": sorted(counted),
        "nodes_missing": [{"node": n, "reason": missing[n]} for n in sorted(missing)],
        "per_node": [],
        "regional": regional,
        "request": request.value,
        "scale": 1000 if request.score else 1,
        "v": 1,
    }


def _figure(cell, request, noise, c, words):
    count = words[0][c]
    if request.score:
        found = mean(count, words[1][c], 1, noise.sd, request.score)
        if found is None:
            return
        cell |= {"clients": count, "sum": words[1][c]} | dict(zip(("value", "low", "high"), found))
    elif request.most:
        events, half = words[1][c], noise.half_width
        cell |= {"value": events, "low": events - half, "high": events + half, "clients": count}
        found = per_client(events, count, 1, noise.sd, request.most)
        cell |= {"per_client": found} if found else {}
    else:
        half = noise.half_width
        cell |= {"value": count, "low": count - half, "high": count + half}
        any_of = request.any_of(c)
        if any_of is not None and words[0][any_of] >= noise.threshold:
            found = ratio(count, words[0][any_of], noise.sd, noise.sd)
            if found:
                cell["share"] = [rounded(x * 10_000.0) for x in found]
    cell["state"] = "published"


# --- what registers cover --------------------------------------------------------


def with_coverage(table, stated):
    """A table with what is stated of its nodes: lists of (period, word) by name."""
    periods = {}
    for node, of_node in stated.items():
        for period, word in of_node:
            periods.setdefault((node, word), []).append(period)
    found = [{"coverage": w, "node": n, "periods": sorted(periods[n, w])} for n, w in sorted(periods)]
    return table | {"coverage": found} if found else table


# --- the form of a published table --------------------------------------------

TABLE = {"cells", "cost", "id", "nodes_counted", "nodes_missing", "per_node", "request", "scale", "v"}
REGIONAL = {"c", "eta", "h", "j", "k", "n", "round", "t", "threshold", "u_min", "variance_present"}
COVERED = {"coverage", "node", "periods"}
FIGURES = {"value", "low", "high", "clients", "sum"}


def read_table(data, request):
    """A published table of a request; `Bad` if it has another form."""
    table = decode(data)
    wanted = TABLE | {"regional"} if request.regional else TABLE
    need(isinstance(table, dict) and table.keys() - {"coverage"} == wanted, "the fields of a table")
    covered = table.get("coverage", [])
    need(isinstance(covered, list) and ("coverage" not in table or covered), "the coverage of a table")
    for one in covered:
        need(isinstance(one, dict) and one.keys() == COVERED, "the fields of a coverage")
        need(one["coverage"] in ("all", "some", "pilot") and is_name(one["node"]), "the word of a coverage")
        need(isinstance(one["periods"], list) and all(map(is_period, one["periods"])), "the periods of a coverage")
    need(table["request"] == request.value and table["id"] == request.id, "the request of a table")
    need(table["v"] == 1 and table["scale"] == (1000 if request.score else 1), "version or scale")
    cells = table["cells"]
    need(isinstance(cells, list) and len(cells) == request.total, "the number of cells")
    figures = FIGURES if request.score else FIGURES - {"sum"} if request.most else FIGURES - {"clients", "sum"}
    most = figures | {"codes", "near_threshold", "nodes_suppressed", "state"}
    most |= {"per_client"} if request.most else {"share"}
    for at, cell in enumerate(cells):
        need(isinstance(cell, dict) and cell.keys() <= most, f"the fields of cell {at}")
        need({"codes", "near_threshold", "nodes_suppressed", "state"} <= cell.keys(), f"cell {at}")
        period, c = divmod(at, request.cells)
        codes = request.codes(c) | {"period": request.periods[period]}
        need(cell["codes"] == codes, f"the codes of cell {at}")
        need(all(type(cell[x]) is int for x in figures & cell.keys()), f"a figure of cell {at}")
        shown = cell["state"] == "published"
        need(shown or cell["state"] == "suppressed", f"the state of cell {at}")
        need(figures <= cell.keys() if shown else "value" not in cell, f"the figures of cell {at}")
    counted = table["nodes_counted"]
    need(isinstance(counted, list) and all(map(is_name, counted)), "the nodes counted")
    if request.regional:
        terms = table["regional"]
        need(isinstance(terms, dict) and terms.keys() == REGIONAL, "the terms of a table")
        need(is_digest(terms["round"]) and type(terms["threshold"]) is int, "the terms of a table")
    return table


def same(table, data):
    """A table has exactly these bytes."""
    try:
        return encode(table) == data
    except (UnicodeEncodeError, OverflowError) as error:
        raise Bad("a table without canonical bytes") from error
