"""Verdicts: what was checked, and the first places where a rule does not hold."""

RULES = [f"R{n:02}" for n in (*range(1, 23), 24, 26, 27, 28, 29)]
MOST_PLACES = 8
MOST_TEXT = 200


class Rule:
    def __init__(self, name):
        self.name, self.checked, self.failed, self.failures = name, 0, 0, []

    def ok(self, count=1):
        self.checked += count

    def fail(self, where, what):
        """`where` is a log or file, and an index in it, or None."""
        self.checked += 1
        self.failed += 1
        if len(self.failures) < MOST_PLACES:
            self.failures.append(f"{where}: {what}"[:MOST_TEXT])

    def judge(self, where, holds, what):
        if holds:
            self.ok()
        else:
            self.fail(where, what)

    @property
    def verdict(self):
        if self.failed:
            return "FAIL"
        return "PASS" if self.checked else "NOT CHECKABLE"


class Report:
    def __init__(self):
        self.rules = {name: Rule(name) for name in RULES}
        self.releases, self.cells = 0, 0

    def __getitem__(self, name):
        return self.rules[name]

    def document(self):
        rules = [
            {"rule": r.name, "verdict": r.verdict, "checked": r.checked, "failures": r.failures}
            for r in self.rules.values()
        ]
        return {"rules": rules, "releases": self.releases, "cells": self.cells}
