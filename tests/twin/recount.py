#!/usr/bin/env python3
"""Recounts a demo's tables from people.csv, independently of the product.

Usage: recount.py DEMO.json [DEMO.json ...]

Standard library only. For each published cell it counts the truth in
people.csv (clients, or the mean of a score) and asks whether it lies inside the
published interval; it also checks the widths of the intervals, the smallest
published node cells, and that every county shows the distinct clients of every
age group. Exits 1 when less than 93 % of cells are covered, or anything else is
off.
"""

import csv
import json
import math
import os
import sys
from collections import defaultdict

DIMENSIONS = {"need": "needs", "age_group": "age_group", "sex": "sex", "area": "area"}


def people(folder):
    with open(os.path.join(folder, "people.csv"), encoding="utf-8", newline="") as f:
        yield from csv.DictReader(f)


def matches(row, codes):
    for dimension, code in codes.items():
        if dimension == "period":
            if row["period"] != code:
                return False
        elif dimension == "need":
            if code != "ANY" and code not in row["needs"].split("|"):
                return False
        elif row[DIMENSIONS[dimension]] != code:
            return False
    return True


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
    import subprocess

    config = os.path.join(folder, node, "node.toml")
    out = subprocess.run([binary, "--config", config, "releases", "list", "--output", "json"],
                         capture_output=True, check=True, text=True).stdout
    for release in json.loads(out):
        if release["id"] == table_id:
            return release
    raise SystemExit(f"{node} has no release of {table_id}")


def key(codes):
    return tuple(sorted(codes.items()))


def main(paths):
    problems, covered, cells_seen = [], 0, 0
    for path in paths:
        demo = json.load(open(path, encoding="utf-8"))
        rows = list(people(demo["dir"]))
        if not demo["repeat"]["identical"] or demo["repeat"]["cost_nano_rho"] != 0:
            problems.append(f"{path}: the repeat was not free and identical")
        for table in demo["tables"]:
            request, sd = table["request"], table["sd"]
            score = request.get("score")
            nodes = [n["node"] for n in table["per_node"]]
            if len(nodes) != table["nodes_counted"] or table["nodes_missing"]:
                problems.append(f"{path}: nodes are missing")
            releases = {n: node_cells(demo["dir"], n, table["id"]) for n in nodes}
            published = {n: {key(c["codes"]): c for c in r["cells"] if c["state"] == "published"}
                         for n, r in releases.items()}
            # Truth per node and cell, from people.csv.
            wanted = {key(c["codes"]): c for c in table["cells"]}
            true = defaultdict(lambda: defaultdict(int))
            sums = defaultdict(lambda: defaultdict(float))
            by = request["by"]
            for row in rows:
                if row["period"] not in request["periods"] or row["node"] not in releases:
                    continue
                value = score_of(row, score) if score else None
                if score and value is None:
                    continue
                needs = row["needs"].split("|") + ["ANY"] if "need" in by else [None]
                for need in needs:
                    codes = {d: row[DIMENSIONS[d]] for d in by if d != "need"}
                    codes["period"] = row["period"]
                    if need is not None:
                        codes["need"] = need
                    if key(codes) in wanted:
                        true[key(codes)][row["node"]] += 1
                        if score:
                            sums[key(codes)][row["node"]] += value
            terms = {n["node"]: n for n in table["per_node"]}
            half = math.ceil(1.96 * sd)
            for k, cell in wanted.items():
                for n in nodes:
                    if k in published[n] and true[k][n] < terms[n]["k"]:
                        problems.append(f"{path}: {n} published a cell of {true[k][n]} clients: {dict(k)}")
                if cell["state"] != "published":
                    continue
                shown = [n for n in nodes if k in published[n]]
                if len(nodes) - len(shown) != cell["nodes_suppressed"]:
                    problems.append(f"{path}: nodes_suppressed is wrong for {dict(k)}")
                cells_seen += 1
                if score:
                    clients = sum(true[k][n] for n in shown)
                    truth = sum(sums[k][n] for n in shown) / clients if clients else float("nan")
                else:
                    truth = sum(true[k].values())
                    withheld = sum(terms[n]["tau"] + half for n in nodes if n not in shown)
                    widest = 2 * 1.96 * sd * math.sqrt(len(shown)) + withheld + 2
                    if cell["high"] - cell["low"] > widest:
                        problems.append(f"{path}: interval of {dict(k)} is wider than {widest:.1f}")
                covered += cell["low"] <= truth <= cell["high"]
            if not score and by == ["age_group", "need"]:
                ages = sorted({c["codes"]["age_group"] for c in table["cells"]} - {"unknown"})
                counties = [n for n in nodes if sum(1 for r in rows if r["node"] == n) > 5 * 2500 and "tyollisyys" not in n]
                for n in counties:
                    for age in ages:
                        codes = {"age_group": age, "need": "ANY", "period": request["periods"][0]}
                        if key(codes) not in published[n]:
                            problems.append(f"{path}: {n} withholds its clients of {age}")
    share = covered / cells_seen if cells_seen else 0.0
    print(f"{covered} of {cells_seen} published cells hold the truth ({100 * share:.1f} %), {len(problems)} problems")
    for problem in problems[:20]:
        print(problem)
    return 0 if cells_seen and share >= 0.93 and not problems else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
