#!/usr/bin/env python3
"""Recounts a demo's tables from people.csv, independently of the product.

Usage: recount.py DEMO.json [DEMO.json ...]

Standard library only. For each published cell it counts the truth in
people.csv (clients, or the mean of a score) over the nodes counted, and asks
whether it lies inside the published interval; it also checks

- tables per node: the widths of the intervals, the smallest published node
  cells, and that every county shows the distinct clients of every age group;
- regional tables: that nothing under the threshold is shown, the threshold, the
  noise really present and the intervals that follow from it, the shares, and
  that exactly one of them lacks a node;
- the comparison of the two, recomputed.

Truth is bounded truth: nobody in the synthetic registers has more needs than
the tables count, and a line of people.csv that has stops the recount.

Exits 1 when less than 93 % of cells are covered, or anything else is off. Noise
is drawn anew in every demo and cells of regional tables have no slack, so that of
few cells fewer may be covered by chance: four standard deviations under 95 % are
let pass, which is less than 93 % for fewer than 1900 cells.
"""

import csv
import itertools
import json
import math
import os
import subprocess
import sys
from collections import defaultdict

# The columns of people.csv; a client goes with each combination of the latter.
ONE = {d: d for d in ("age_group", "sex", "area", "household", "labour_status")}
SEVERAL = {"need": "needs", "contributing_factor": "factors", "service_task": "service_tasks"}


def too_few(covered, seen):
    """More cells miss the truth than chance lets."""
    return covered < seen * min(0.93, 0.95 - 4 * math.sqrt(0.95 * 0.05 / max(seen, 1)))


def people(folder):
    with open(os.path.join(folder, "people.csv"), encoding="utf-8", newline="") as f:
        yield from csv.DictReader(f)


def score_of(row, domain):
    scores = dict(s.split(":") for s in row["scores"].split("|") if s)
    return float(scores[domain].replace(",", ".")) if domain in scores else None


def node_cells(folder, node, table_id):
    """What one node released for one table, as its own command says."""
    binary = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../target/debug/koonti-node")
    for profile in ("debug", "release"):
        candidate = binary.replace("debug", profile)
        if os.path.exists(candidate):
            binary = candidate
            break
    config = os.path.join(folder, node, "node.toml")
    out = subprocess.run([binary, "--config", config, "releases", "list", "--output", "json"],
                         capture_output=True, check=True, text=True).stdout
    for release in json.loads(out):
        if release["id"] == table_id:
            return release
    raise SystemExit(f"{node} has no release of {table_id}")


def key(codes):
    return tuple(sorted(codes.items()))


def count(rows, table, nodes):
    """Clients, and sums of the score, by cell and node."""
    request = table["request"]
    score, by = request.get("score"), request["by"]
    wanted = {key(c["codes"]) for c in table["cells"]}
    true = defaultdict(lambda: defaultdict(int))
    sums = defaultdict(lambda: defaultdict(float))
    for row in rows:
        if row["period"] not in request["periods"] or row["node"] not in nodes:
            continue
        value = score_of(row, score) if score else None
        if score and value is None:
            continue
        several = [d for d in by if d in SEVERAL]
        tuples = list(itertools.product(*(row[SEVERAL[d]].split("|") for d in several)))
        if len(tuples) > request.get("max_per_client", len(tuples)):
            raise SystemExit(f"{row['client']} has more needs than the table counts: the truth is not known here")
        for some in tuples + ([("ANY",) * len(several)] if several else []):
            codes = {d: row[ONE[d]] for d in by if d in ONE} | dict(zip(several, some))
            codes["period"] = row["period"]
            if key(codes) in wanted:
                true[key(codes)][row["node"]] += 1
                if score:
                    sums[key(codes)][row["node"]] += value
    return true, sums


def recount_per_node(demo, table, rows, problem):
    """How many published cells of a table per node hold the truth, and how many there are."""
    sd, score = table["sd"], table["request"].get("score")
    covered = seen = 0
    nodes = [n["node"] for n in table["per_node"]]
    if len(nodes) != table["nodes_counted"] or table["nodes_missing"]:
        problem("nodes are missing")
    releases = {n: node_cells(demo["dir"], n, table["id"]) for n in nodes}
    published = {n: {key(c["codes"]): c for c in r["cells"] if c["state"] == "published"}
                 for n, r in releases.items()}
    true, sums = count(rows, table, set(nodes))
    terms = {n["node"]: n for n in table["per_node"]}
    half = math.ceil(1.96 * sd)
    for cell in table["cells"]:
        k = key(cell["codes"])
        for n in nodes:
            if k in published[n] and true[k][n] < terms[n]["k"]:
                problem(f"{n} published a cell of {true[k][n]} clients: {dict(k)}")
        if cell["state"] != "published":
            continue
        shown = [n for n in nodes if k in published[n]]
        if len(nodes) - len(shown) != cell["nodes_suppressed"]:
            problem(f"nodes_suppressed is wrong for {dict(k)}")
        seen += 1
        if score:
            clients = sum(true[k][n] for n in shown)
            truth = sum(sums[k][n] for n in shown) / clients if clients else float("nan")
        else:
            truth = sum(true[k].values())
            withheld = sum(terms[n]["tau"] + half for n in nodes if n not in shown)
            widest = 2 * 1.96 * sd * math.sqrt(len(shown)) + withheld + 2
            if cell["high"] - cell["low"] > widest:
                problem(f"interval of {dict(k)} is wider than {widest:.1f}")
        covered += cell["low"] <= truth <= cell["high"]
    by = table["request"]["by"]
    if not score and by == ["age_group", "need"]:
        ages = sorted({c["codes"]["age_group"] for c in table["cells"]} - {"unknown"})
        counties = [n for n in nodes if sum(1 for r in rows if r["node"] == n) > 5 * 2500 and "tyollisyys" not in n]
        for n in counties:
            for age in ages:
                codes = {"age_group": age, "need": "ANY", "period": table["request"]["periods"][0]}
                if key(codes) not in published[n]:
                    problem(f"{n} withholds its clients of {age}")
    return covered, seen


def skellam_margin(variance, eta, cells):
    """The least z with P[Skellam >= z] <= eta / cells, in floating point: the
    difference of two Poisson variables of mean variance / 2 each."""
    mean = variance / 2
    most = int(mean + 40 * math.sqrt(mean) + 100)
    log = [i * math.log(mean) - mean - math.lgamma(i + 1) for i in range(most)]
    pmf = [math.exp(x) if x > -745 else 0.0 for x in log]
    z, tail = int(12 * math.sqrt(variance)) + 20, 0.0
    while True:
        tail += sum(pmf[i + z] * pmf[i] for i in range(most - z))
        if tail > eta / cells:
            return z + 1
        z -= 1


def recount_regional(demo, table, rows, problem):
    """As above, for a regional table."""
    covered, seen, square = 0, 0, []
    nodes = {n["name"] for n in demo["nodes"]} - set(table["nodes_missing"])
    if table["nodes_counted"] != len(nodes) or table["per_node"]:
        problem("counted and missing nodes are not all nodes, or single nodes are told of")
    num, den = table["variance_present"]
    variance = table["sd"] ** 2 * table["nodes_counted"] / table["h"]
    if math.gcd(num, den) != 1 or abs(num / den - variance) > 1e-9:
        problem(f"the noise present is {num}/{den}, not {variance}")
    sd = math.sqrt(variance)
    if abs(table["sd_present"] - sd) > 1e-9:
        problem(f"sd_present is {table['sd_present']}, not {sd}")
    n, c, t, u_min, h = (table[x] for x in ("n", "c", "t", "u_min", "h"))
    if c < max(1, n // 5) or t != (n + c) // 2 + 1 or u_min != max(t, n - max(1, n // 10)) or h != u_min - c:
        problem(f"c, t, u_min and h do not follow from {n} nodes")
    if n != len(demo["nodes"]) or not u_min <= table["nodes_counted"] <= n:
        problem("fewer nodes are counted than have to be")
    least = table["j"] * (table["k"] - 1)
    margin = skellam_margin(variance, table["eta"][0] / table["eta"][1], len(table["cells"]))
    if table["threshold"] < least or abs(table["threshold"] - least - margin) > 1:
        problem(f"the threshold is {table['threshold']}, not about {least + margin}")
    true, _ = count(rows, table, nodes)
    truth = {k: sum(cells.values()) for k, cells in true.items()}
    any_of = {key(c["codes"]): c["value"] for c in table["cells"]}
    for cell in table["cells"]:
        k = key(cell["codes"])
        if cell["state"] != "published":
            if any(cell[x] is not None for x in ("value", "low", "high")) or "share" in cell:
                problem(f"a withheld cell has a figure: {dict(k)}")
            continue
        seen += 1
        if cell["value"] < table["threshold"]:
            problem(f"a figure under the threshold is shown: {dict(k)}")
        if cell["near_threshold"] != (cell["value"] < table["threshold"] + math.ceil(2 * sd)):
            problem(f"near_threshold is wrong for {dict(k)}")
        half = (cell["high"] - cell["low"]) / 2
        if cell["value"] - cell["low"] != half or abs(half - 1.96 * sd) > 1.5:
            problem(f"the interval of {dict(k)} is not 1.96 standard deviations to both sides")
        covered += cell["low"] <= truth.get(k, 0) <= cell["high"]
        square.append((cell["value"] - truth.get(k, 0)) ** 2)
        everybody = any_of.get(key(dict(k, need="ANY"))) if cell["codes"].get("need") != "ANY" else None
        share = cell.get("share")
        if (share is not None) != (everybody is not None and everybody >= 5 * sd):
            problem(f"a share is missing, or one too many: {dict(k)}")
        elif share and not (share["low"] <= share["value"] <= share["high"]
                            and abs(share["value"] - 100 * cell["value"] / everybody) < 0.0051):
            problem(f"the share of {dict(k)} is not its figure over that of ANY")
    if too_few(covered, seen):
        problem(f"only {covered} of {seen} cells of a regional table hold the truth")
    # Noise of which there is too little covers the truth only too well.
    strength = sum(square) / variance / seen if seen else 1.0
    if abs(strength - 1) > 5 * math.sqrt(2 / max(seen, 1)):
        problem(f"the noise on a regional table has {strength:.2f} times the variance that it says")
    return covered, seen


def mean_relative_error(demo, table, rows):
    """Mean distance from the truth over the mean truth; withheld cells are read as 0."""
    true, _ = count(rows, table, {n["name"] for n in demo["nodes"]} - set(table["nodes_missing"]))
    truth = {key(c["codes"]): sum(true[key(c["codes"])].values()) for c in table["cells"]}
    distance = sum(abs((c["value"] or 0) - truth[key(c["codes"])]) for c in table["cells"])
    return distance / sum(truth.values())


def recompute_comparison(demo, rows, problem):
    """The comparison of the first table per node with the first regional one."""
    regional = [t for t in demo["tables"] if t["release"] == "regional"]
    if not regional:
        if demo.get("comparison") is not None or len(demo["nodes"]) >= 5:
            problem("there is no regional table to compare with")
        return
    if sorted(len(t["nodes_missing"]) for t in regional) != [0, 1]:
        problem("not one regional table of all nodes and one without a node")
    per_node = mean_relative_error(demo, demo["tables"][0], rows)
    whole = mean_relative_error(demo, regional[0], rows)
    told, found = demo["comparison"], {
        "nodes": len(demo["nodes"]),
        "per_node_mean_relative_error": per_node,
        "regional_mean_relative_error": whole,
        "ratio": per_node / whole,
    }
    for name, value in found.items():
        if abs(told[name] - value) > 1e-9 * max(1.0, value):
            problem(f"comparison: {name} is {told[name]}, recounted {value}")
    print(f"{len(demo['nodes'])} nodes: mean relative error {100 * per_node:.2f} % per node, "
          f"{100 * whole:.2f} % regional, ratio {per_node / whole:.1f}")


def main(paths):
    problems, covered, cells_seen = [], 0, 0
    for path in paths:
        demo = json.load(open(path, encoding="utf-8"))
        rows = list(people(demo["dir"]))
        problem = lambda text, path=path: problems.append(f"{path}: {text}")
        if not demo["repeat"]["identical"] or demo["repeat"]["cost_nano_rho"] != 0:
            problem("the repeat was not free and identical")
        for table in demo["tables"]:
            recount = recount_regional if table["release"] == "regional" else recount_per_node
            held, seen = recount(demo, table, rows, problem)
            covered, cells_seen = covered + held, cells_seen + seen
        recompute_comparison(demo, rows, problem)
    share = covered / cells_seen if cells_seen else 0.0
    print(f"{covered} of {cells_seen} published cells hold the truth ({100 * share:.1f} %), {len(problems)} problems")
    for problem in problems[:20]:
        print(problem)
    return 0 if cells_seen and not too_few(covered, cells_seen) and not problems else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
