#!/usr/bin/env python3
"""maths_table.py > maths_table.def - log, exp and pow of doubles, to 30 digits more than a double has, by mpmath (pip install mpmath).

A row says the double nearest to the value and what is left to it, in ulps of that double: so the error of another double can be told to a thousandth."""
import math
import random

from mpmath import mp, mpf

mp.dps = 60
random.seed(11)


def row(name, value, *arguments):
    nearest = float(value)
    if not math.isfinite(nearest) or abs(nearest) < 2.3e-308:
        return                                                  # special values and subnormals stand in test_maths.c
    left = (value - mpf(nearest)) / mpf(math.ulp(nearest))
    print(f"ROW({name}, {', '.join(float(a).hex() for a in arguments)}, {nearest.hex()}, {float(left):.6f})")


def main():
    for _ in range(1500):
        x = random.choice((random.uniform(0.5, 2), 1 + random.uniform(-1, 1) * 2.0 ** -random.randint(1, 50), math.exp(random.uniform(-700, 700)), random.uniform(0, 1e4)))
        row("LOG", mp.log(mpf(x)), x, 0.0)
    for _ in range(1500):
        x = random.choice((random.uniform(-1, 1), random.uniform(-700, 700), random.uniform(-1, 1) * 2.0 ** -random.randint(1, 50)))
        row("EXP", mp.exp(mpf(x)), x, 0.0)
    for _ in range(2500):
        x, y = random.choice((
            (random.uniform(0.2, 5), random.uniform(-30, 30)),
            (random.uniform(0.5, 2), random.choice((252.0, 50.4, 12.6, 4.2, 4.0, 2.0, 1 / 1.5, 1 / 3))),      # what annualises a return
            (1 + random.uniform(-1, 1) * 2.0 ** -random.randint(1, 40), random.uniform(-1, 1) * 2.0 ** random.randint(0, 40)),
            (math.exp(random.uniform(-300, 300)), random.uniform(-2, 2)),
            (float(random.randint(2, 30)), float(random.randint(-20, 20)))))
        row("POW", mp.power(mpf(x), mpf(y)), x, y)


main()
