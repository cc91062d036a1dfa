#!/usr/bin/env python3
"""A second implementation of Koonti's discrete Gaussian, in rationals.

Written from the specification in the headers of `disclosure/src/gaussian.rs`,
`tail.rs` and `account.rs`, not from their code. It shares no formula with them
where another will do: probabilities are `fractions.Fraction`, the acceptance
exponent is `(|y| - s2/t)^2 / (2 s2)`, and tails are intervals of integers with
160 fractional bits whose two ends must agree on every answer.

    discrete_gaussian.py --write DIR     writes DIR/vectors.json
    discrete_gaussian.py --write X.json  writes X.json
    discrete_gaussian.py --check FILE    derives it all again; exit 1 on a difference

Standard library only, Python 3.11 or later.
"""

import argparse
import bisect
import decimal
import hashlib
import json
import math
import pathlib
import sys
from decimal import Decimal
from fractions import Fraction


# --- bytes --------------------------------------------------------------------


class Counter:
    """SHA-256 in counter mode: block i is SHA-256(label || i as u64 big-endian)."""

    def __init__(self, label):
        self.label = label.encode("ascii")
        self.block = b""
        self.used = 0

    def byte(self):
        at = self.used % 32
        if at == 0:
            index = self.used // 32
            self.block = hashlib.sha256(self.label + index.to_bytes(8, "big")).digest()
        self.used += 1
        return self.block[at]


# --- the sampler --------------------------------------------------------------


def bernoulli(source, p):
    """True with probability p, by comparing base-256 digits."""
    while True:
        if p == 0:
            return False
        if p == 1:
            return True
        digit, u = math.floor(256 * p), source.byte()
        if u != digit:
            return u < digit
        p = 256 * p - digit


def bernoulli_exp_unit(source, x):
    """True with probability exp(-x), 0 <= x <= 1."""
    k = 1
    while bernoulli(source, x / k):
        k += 1
    return k % 2 == 1


def bernoulli_exp(source, x):
    """True with probability exp(-x), x >= 0."""
    whole = math.floor(x)
    for _ in range(whole):
        if not bernoulli_exp_unit(source, Fraction(1)):
            return False
    return bernoulli_exp_unit(source, x - whole)


def uniform(source, m):
    """Uniform on 0 .. m-1."""
    bits = (m - 1).bit_length()
    while True:
        value = 0
        for _ in range(-(-bits // 8)):
            value = value << 8 | source.byte()
        value %= 1 << bits
        if value < m:
            return value


def laplace(source, t):
    """Discrete Laplace of integer scale t."""
    while True:
        u = uniform(source, t)
        if not bernoulli_exp_unit(source, Fraction(u, t)):
            continue
        v = 0
        while bernoulli_exp_unit(source, Fraction(1)):
            v += 1
        negative = bernoulli(source, Fraction(1, 2))
        x = u + t * v
        if negative and x == 0:
            continue
        return -x if negative else x


def gaussian(source, s2):
    """Discrete Gaussian of variance parameter s2."""
    t = math.isqrt(s2.numerator // s2.denominator) + 1
    while True:
        y = laplace(source, t)
        if bernoulli_exp(source, (abs(y) - s2 / t) ** 2 / (2 * s2)):
            return y


# --- tails --------------------------------------------------------------------

BITS = 160
ONE = 1 << BITS


def up(a, b):
    """ceil(a / b)"""
    return -(-a // b)


def exp_minus(x):
    """Fixed-point bounds (below, above) of exp(-x), 0 <= x <= 1."""
    above, i, term = Fraction(1), 1, x
    below = above - term
    while term * ONE > 1:  # the last two partial sums differ by the last term
        i, term = i + 1, term * x / (i + 1)
        if i % 2 == 0:
            above = below + term
        else:
            below = above - term
    return math.floor(below * ONE), math.ceil(above * ONE)


class Gaussian:
    """Bounds of the weights exp(-x^2 / (2 s2)), and the tails they give."""

    def __init__(self, s2):
        self.s2 = s2
        step_lo, step_hi = exp_minus(1 / (2 * s2))  # the ratio of weights 0 and 1
        two_lo, two_hi = exp_minus(1 / s2)  # how the ratio shrinks
        lows, highs = [], []
        low, high = ONE, ONE
        while high >> (BITS - 110):
            lows.append(low)
            highs.append(high)
            low, high = low * step_lo >> BITS, up(high * step_hi, ONE)
            step_lo, step_hi = step_lo * two_lo >> BITS, up(step_hi * two_hi, ONE)
        # What is left is at most a geometric series of ratio step_hi.
        rest = up(high * ONE, ONE - step_hi)
        self._spot_check(lows, highs)
        # tail_lo[z] <= sum over x >= z of the weights <= tail_hi[z]
        for weights, start in ((lows, 0), (highs, rest)):
            total = start
            for x in range(len(weights) - 1, -1, -1):
                total += weights[x]
                weights[x] = total
        self.tail_lo, self.tail_hi = lows, highs
        self.whole_lo = 2 * lows[0] - ONE
        self.whole_hi = 2 * highs[0] - ONE

    def _spot_check(self, lows, highs):
        """The recurrence against the decimal module's exponential, here and there."""
        with decimal.localcontext() as context:
            context.prec = 70
            ratio = Decimal(self.s2.denominator) / Decimal(2 * self.s2.numerator)
            slack = Decimal(2) ** -100
            for x in {0, 1, 2, len(lows) // 100, len(lows) // 7, len(lows) // 2, len(lows) - 1}:
                weight = (-ratio * x * x).exp()
                assert Decimal(lows[x]) / ONE - slack < weight < Decimal(highs[x]) / ONE + slack
                assert Decimal(highs[x] - lows[x]) / ONE < slack

    def at_least(self, z):
        """Bounds of P[Z >= z] as two fractions."""
        if z < 1:
            low, high = self.at_least(1 - z)
            return 1 - high, 1 - low
        return (
            Fraction(self.tail_lo[z], self.whole_hi),
            Fraction(self.tail_hi[z], self.whole_lo),
        )

    def least(self, allowed):
        """The least z with P[Z >= z] <= allowed, in fractions, decided for certain."""
        reach = len(self.tail_lo) - 1
        z = bisect.bisect_left(
            range(-reach, reach), True, key=lambda z: self.at_least(z)[1] <= allowed
        ) - reach
        assert -reach < z < reach
        assert self.at_least(z)[1] <= allowed
        assert self.at_least(z - 1)[0] > allowed, "the bounds do not decide"
        return z


KNOWN = {}


def distribution(s2):
    if s2 not in KNOWN:
        KNOWN[s2] = Gaussian(s2)
    return KNOWN[s2]


LEAST_ATTO = 10**6


def threshold(k, s2, gate_atto_delta, touched):
    """The least tau with P[Z >= tau - k] <= the gate's delta for one touched cell."""
    allowed = gate_atto_delta // touched
    if allowed < LEAST_ATTO:
        raise ValueError("the gate's share of delta is under 1e-12")
    return k + distribution(s2).least(Fraction(allowed, 10**18))


def half_width_95(s2):
    """The least q with P[|Z| <= q] >= 95 %, so P[Z >= q + 1] <= 2.5 %."""
    q = distribution(s2).least(Fraction(25, 1000)) - 1
    return max(q, 0)


# --- epsilon ------------------------------------------------------------------


def epsilon(rho, delta):
    """(eps, alpha): the least bound over the integer orders alpha >= 2, in 50 digits."""
    with decimal.localcontext() as context:
        context.prec = 50
        rho = Decimal(rho.numerator) / Decimal(rho.denominator)
        ln_delta = (Decimal(delta.numerator) / Decimal(delta.denominator)).ln()

        def at(alpha):
            a = Decimal(alpha)
            return rho * a + ((a - 1) / a).ln() - (ln_delta + a.ln()) / (a - 1)

        best, order, alpha = at(2), 2, 3
        while True:
            # ln((a-1)/a) >= -1/(a-1) and ln delta < 0, so an order a gives at least
            # rho a - (1 + ln a)/(a-1), which only grows with a.
            a = Decimal(alpha)
            if rho * a - (1 + a.ln()) / (a - 1) > best:
                return best, order
            here = at(alpha)
            if here < best:
                best, order = here, alpha
            alpha += 1


# --- vectors ------------------------------------------------------------------

DRAWN = [
    (1, 1),
    (3, 2),
    (9, 4),
    (15, 1),
    (1499, 100),
    (25, 1),
    (100, 1),
    (2500, 1),
    (7000001, 7),
    (40000, 2401),
    (2**32, 1),
    # Where products pass 56, 64 and nearly 128 bits.
    (2**24 + 1, 2**24),
    (1_000_000_007, 16_777_213),
    (2**56 - 1, 2**24),
]
SAMPLES = 200

# k, variance, gate in 1e-18, touched
GATES = [
    (5, (25, 1), 10**11, 6),
    (5, (25, 1), 10**11, 1),
    (5, (25, 1), 10**12, 6),
    (5, (25, 1), 10**12, 7),
    (5, (25, 1), 10**9, 1000),  # exactly 1e6 per cell
    (5, (25, 1), 4 * 10**17, 1),
    (5, (25, 1), 10**18, 2),
    (0, (25, 1), 10**12, 1),
    (1, (25, 1), 10**12, 1),
    (4_000_000_000, (25, 1), 10**12, 1),
    (3, (1, 1), 10**6, 1),
    (3, (1, 1), 10**12, 1),
    (3, (1, 1), 10**12, 64),
    (3, (1, 1), 3 * 10**17, 1),
    (3, (1, 1), 4 * 10**17, 1),
    (3, (3, 2), 10**10, 3),
    (3, (3, 2), 10**15, 1),
    (10, (9, 4), 10**12, 12),
    (10, (9, 4), 2 * 10**6, 2),
    (5, (15, 1), 10**11, 6),
    (5, (15, 1), 10**13, 5),
    (5, (1499, 100), 10**11, 6),
    (5, (1499, 100), 10**8, 99),
    (5, (40000, 2401), 10**11, 6),
    (5, (40000, 2401), 999_999_999_999, 13),
    (10, (100, 1), 10**12, 1),
    (10, (100, 1), 10**12, 8),
    (10, (100, 1), 10**16, 8),
    (10, (100, 1), 10**6, 1),
    (20, (2500, 1), 10**11, 6),
    (20, (2500, 1), 10**14, 4),
    (20, (2500, 1), 10**6, 1),
    (50, (1, 1), 5 * 10**17, 1),
    (50, (7000001, 7), 10**11, 6),
    (50, (7000001, 7), 10**12, 3),
    (50, (7000001, 7), 10**6, 1),
    (5, (8191**2, 1), 10**6, 1),
    (5, (10**8, 1), 10**11, 6),
    (5, (10**8, 1), 4 * 10**6, 1),
    (100, (2**32, 1), 10**12, 1),
    (100, (2**32, 1), 10**11, 6),
    (100, (2**32, 1), 10**17, 1),
    (100, (2**32, 1), 10**6, 1),
    (7, (2**24 + 1, 2**24), 10**11, 6),
    (7, (2**56 - 1, 2**24), 10**11, 6),
    (7, (2**56 - 1, 2**24), 10**6, 1),
    (7, (1_000_000_007, 16_777_213), 10**12, 5),
    (7, (4_294_967_291, 2), 10**12, 5),
]

WIDTHS = DRAWN + [
    (4, 1),
    (10, 1),
    (40, 1),
    (1000, 1),
    (4_294_967_291, 2),
]

# rho, delta
BUDGETS = [
    ((11417641, 152349649), (1, 10**10)),
    ((1, 4), (1, 10**6)),
    ((1, 80), (1, 10**6)),
    ((1, 20), (1, 10**6)),
    ((1, 10), (1, 10**6)),
    ((1, 5), (1, 10**6)),
    ((3, 5), (1, 10**6)),
    ((1, 1), (1, 10**6)),
    ((10, 1), (1, 10**6)),
    ((999, 1), (1, 10**6)),
    ((1, 10**4), (1, 10**6)),
    ((1, 10**6), (1, 10**6)),
    ((1, 4), (1, 10**12)),
    ((1, 4), (1, 2)),
]


def rounded(value, places):
    return str(value.quantize(Decimal(1).scaleb(-places), rounding=decimal.ROUND_HALF_EVEN))


def document():
    samples = []
    for num, den in DRAWN:
        source = Counter(f"koonti discrete gaussian {num}/{den}")
        values, each = [], []
        for _ in range(SAMPLES):
            before = source.used
            values.append(gaussian(source, Fraction(num, den)))
            each.append(source.used - before)
        samples.append(
            {
                "label": source.label.decode("ascii"),
                "variance": [num, den],
                "bytes": source.used,
                "values": values,
                "bytes_each": each,
            }
        )
    budgets = []
    for rho, delta in BUDGETS:
        value, order = epsilon(Fraction(*rho), Fraction(*delta))
        budgets.append(
            {"rho": list(rho), "delta": list(delta), "order": order, "epsilon": rounded(value, 15)}
        )
    return {
        "stream": "block i = SHA-256(label || u64 big-endian i)",
        "samples": samples,
        "thresholds": [
            {
                "k": k,
                "variance": list(s2),
                "gate_atto_delta": gate,
                "touched": touched,
                "tau": threshold(k, Fraction(*s2), gate, touched),
            }
            for k, s2, gate, touched in GATES
        ],
        "half_widths": [
            {"variance": list(s2), "half_width_95": half_width_95(Fraction(*s2))} for s2 in WIDTHS
        ],
        "epsilons": budgets,
    }


def text(doc):
    """JSON with one record a line."""
    parts = []
    for key, value in doc.items():
        if isinstance(value, list):
            lines = ",\n".join("  " + json.dumps(item, separators=(",", ":")) for item in value)
            parts.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def differences(path, wanted, found):
    if type(wanted) is not type(found):
        yield f"{path}: {found!r} instead of {wanted!r}"
    elif isinstance(wanted, dict):
        for key in wanted.keys() | found.keys():
            if key not in wanted or key not in found:
                yield f"{path}.{key}: only on one side"
            else:
                yield from differences(f"{path}.{key}", wanted[key], found[key])
    elif isinstance(wanted, list):
        if len(wanted) != len(found):
            yield f"{path}: {len(found)} items instead of {len(wanted)}"
        for i, pair in enumerate(zip(wanted, found)):
            yield from differences(f"{path}[{i}]", *pair)
    elif wanted != found:
        yield f"{path}: {found!r} instead of {wanted!r}"


def main():
    parser = argparse.ArgumentParser(description="The twin of Koonti's discrete Gaussian.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", metavar="DIR", type=pathlib.Path)
    action.add_argument("--check", metavar="FILE", type=pathlib.Path)
    options = parser.parse_args()
    if options.write:
        path = options.write
        if path.suffix != ".json":
            path = path / "vectors.json"
        path.write_text(text(document()), encoding="ascii")
        return 0
    found = json.loads(options.check.read_text(encoding="ascii"))
    wrong = list(differences("", document(), found))
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    if wrong:
        print(f"{options.check}: {len(wrong)} differences", file=sys.stderr)
        return 1
    print(f"{options.check}: every vector derived again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
