#!/usr/bin/env python3
"""ratio_table.py > ratio_table.def - fractions and the doubles nearest to them, by Python's fractions and its integer division (which rounds once).

Chosen: every tenth of a per cent up and down, ties and their neighbours, the ends of the types; and others drawn with a fixed seed."""
import random
import textwrap
from fractions import Fraction

BIG = 2 ** 127 - 1
random.seed(7)


def nearest(f):
    """float(Fraction) is numerator / denominator, which Python rounds correctly for integers of any size."""
    return float(f)


def integer(v):
    return f"V({v >> 64 & (2 ** 64 - 1):#x}, {v & (2 ** 64 - 1):#x})" if not -2 ** 63 < v < 2 ** 63 else f"{v}"


def row(kind, want, *values, x=1.0):
    line = f"ROW({kind}, {nearest(want).hex()}, {x.hex()}, {', '.join(integer(v) for v in values)})"
    print("\n".join(textwrap.wrap(line, 100, subsequent_indent="    ")))


def some(bits):
    v = random.getrandbits(random.randint(1, bits)) or 1
    return v if random.random() < 0.5 else -v


def ratio(n, d):
    row("RATIO", Fraction(n, d), n, d)


def main():
    for tenths in range(1, 1000):
        close = 10 ** 11
        for price in (close + close * tenths // 1000, close - close * tenths // 1000):
            ratio(100 * (price - close), close)
    for n, d in ((0, 1), (0, BIG), (1, BIG), (BIG, 1), (-BIG - 1, 1), (-BIG - 1, BIG), (BIG, BIG), (BIG, BIG - 1), (BIG - 1, BIG), (1, 3), (2 ** 53, 3),
                 (2 ** 53 + 1, 1), (2 ** 53 + 2, 1), (2 ** 53 + 3, 1), (2 ** 54 + 2, 1), (2 ** 54 + 6, 1), (2 ** 54 + 2, 2 ** 60), (2 ** 64, 2 ** 64 - 1),
                 (2 ** 64 - 1, 2 ** 64), (2 ** 126, 2 ** 63 - 1), (2 ** 127 - 2 ** 63, 2 ** 64), (BIG, 2 ** 64), (BIG, 2 ** 64 + 1)):
        ratio(n, d)
    for _ in range(80):                                        # ties, and one part in 2^70 beside them
        d, m = random.getrandbits(50) | 1, random.getrandbits(53) | 2 ** 52
        for beside in (-1, 0, 1):
            ratio((2 * m + 1) * d + beside, d)
    for _ in range(200):
        ratio(some(127), abs(some(127)))
    for _ in range(120):
        a, b, c, d = (abs(some(127)) for _ in range(4))
        row("PRODUCTS", Fraction(a * b, c * d), a, b, c, d)
    for _ in range(120):
        x, n, d = random.choice((1000.0, 100.0, random.uniform(1, 1e6), random.uniform(1e-12, 1e-9), 5e-324 * 2 ** 60)), some(127), abs(some(127))
        row("TIMES", Fraction(x) * Fraction(n, d), n, d, x=x)
    for _ in range(120):
        x = random.choice((100.0, 1000.0, 1.5, random.uniform(0, 2000)))
        v = [abs(some(random.choice((60, 127)))) for _ in range(6)]
        if random.random() < 0.3:                               # nearly equal: what is left of the difference is small
            v[2], v[3] = max(v[0] + random.randint(-1, 1), 0), v[1]
        row("DIFFERENCE", Fraction(x) * Fraction(v[0] * v[1] - v[2] * v[3], v[4] * v[5]), *v, x=x)
    row("DIFFERENCE", Fraction(100) * Fraction(-BIG * BIG, 1), 0, BIG, BIG, BIG, 1, 1, x=100.0)


main()
