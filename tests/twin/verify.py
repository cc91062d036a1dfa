#!/usr/bin/env python3
"""A second verifier of Koonti's evidence, independent of the first.

Written from docs/evidence-format.md, docs/privacy.md and docs/secagg-format.md and from the
C2SP specifications that they name. The rules stand in the package `evidence` beside this file.

    verify.py BUNDLE --trust FILE [--pins FILE] [--now UNIX] [--output table|json]
    verify.py --mutants DIR

Exit code 0 when no rule fails and R27 passes, 5 otherwise, 2 on wrong usage. Python 3.11 or
later and the `cryptography` package.

With `--mutants`, DIR holds the broken bundles that the first verifier's tests write, as NAME.tar,
`trust.txt`, and `expected.json`: for each name an object of `fails` (the rules that must fail) and,
if there are such, `trust` and `pins` (the texts of these files) and `now`. What the two verifiers
judge otherwise is printed by bundle and by rule. Exit code 0 only when there is nothing of that
kind and there are at least 200 bundles, 5 otherwise.
"""

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from evidence.canon import Bad, encode  # noqa: E402
from evidence.note import Trust  # noqa: E402
from evidence.report import RULES  # noqa: E402
from evidence.rules import check, read_pins  # noqa: E402

LEAST_MUTANTS = 200


def verify(data, trust_text, pins=None, now=None):
    """The report on a bundle's bytes; `Bad` only if the auditor's own files are malformed."""
    if pins is not None:
        pins = read_pins(encode(pins) if isinstance(pins, dict) else pins)
    return check(bytes(data), Trust(trust_text), pins, now).document()


def passed(document):
    verdicts = {one["rule"]: one["verdict"] for one in document["rules"]}
    return "FAIL" not in verdicts.values() and verdicts["R27"] == "PASS"


def show(document):
    for one in document["rules"]:
        print(f"{one['rule']}  {one['verdict']:13}  {one['checked']}")
        for failure in one["failures"]:
            print(f"       {failure}")
    print(f"{document['releases']} releases, {document['cells']} cells")


def compare(name, expected, folder, trust):
    """The rules that fail here only, those that fail there only, and what is said of the former."""
    known = expected.keys() <= {"fails", "now", "pins", "trust"} and set(expected["fails"]) <= set(RULES)
    if not known:
        raise Bad(f"{name} of expected.json has another form")
    data, pins = (folder / f"{name}.tar").read_bytes(), expected.get("pins")
    document = verify(data, expected.get("trust") or trust, pins, expected.get("now"))
    failed = {one["rule"]: one["failures"] for one in document["rules"] if one["verdict"] == "FAIL"}
    here = sorted(failed.keys() - set(expected["fails"]))
    return here, sorted(set(expected["fails"]) - failed.keys()), [f"{rule} {failed[rule][0]}" for rule in here]


def mutants(folder):
    """True when both verifiers judge each of enough bundles alike."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    trust, differing = (folder / "trust.txt").read_bytes(), 0
    by_rule = {rule: [0, 0] for rule in RULES}
    for name in sorted(expected.keys() | {path.stem for path in folder.glob("*.tar")}):
        if name not in expected:
            raise Bad(f"{name}.tar is not in expected.json")
        here, there, places = compare(name, expected[name], folder, trust)
        for side, rules in enumerate((here, there)):
            for rule in rules:
                by_rule[rule][side] += 1
        if here or there:
            differing += 1
            print(f"{name}: only here {' '.join(here) or '-'}, only there {' '.join(there) or '-'}")
            for place in places:
                print(f"       {place}")
    for rule, (here, there) in by_rule.items():
        if here or there:
            print(f"{rule}  {here} fail only here, {there} only there")
    print(f"{len(expected)} bundles, {differing} judged otherwise")
    return not differing and len(expected) >= LEAST_MUTANTS


def main():
    parser = argparse.ArgumentParser(description="Verify a bundle of evidence.")
    parser.add_argument("bundle", type=pathlib.Path, nargs="?")
    parser.add_argument("--trust", type=pathlib.Path)
    parser.add_argument("--pins", type=pathlib.Path)
    parser.add_argument("--now", type=int)
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.add_argument("--mutants", metavar="DIR", type=pathlib.Path)
    options = parser.parse_args()
    if options.mutants is None and None in (options.bundle, options.trust):
        parser.error("a bundle and its trust file, or --mutants")
    try:
        if options.mutants:
            return 0 if mutants(options.mutants) else 5
        data, trust = options.bundle.read_bytes(), options.trust.read_bytes()
        pins = options.pins.read_bytes() if options.pins else None
        document = verify(data, trust, pins, options.now)
    except (OSError, KeyError, ValueError, Bad) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    if options.output == "json":
        print(json.dumps(document, indent=1))
    else:
        show(document)
    return 0 if passed(document) else 5


if __name__ == "__main__":
    sys.exit(main())
