"""reference_rules.py - which alerts a list of rules owes over a stream: slow, every rule looked at after every record.

The definition:
  - A rule is ok, pending or firing. A condition that comes true makes it pending since that record's time t.
  - It is due at max(since + hold, quiet_until). Before a record of time t has its own effect, all rules that are due by t are looked
    at, in the order of (due time, rule), each as of its due time: with the value that stood then, aged until then. Where it holds
    the rule fires, and its alert has that time and value, whenever the record came; where it does not, the rule is ok; where there
    is no value, the next one decides. The alert's seq is that of the record. With neither hold nor cooldown running it fires at once.
  - Firing at t sets quiet_until = t + cooldown. Crossing again inside the cooldown waits, pending, until it ends.
  - A record's time is a price's own; what is no price is in force from now on, which is the greatest time so far. A rule's time
    does not go back: not before its measure came to stand where it does, and not before what it has said.
  - It resolves when the condition is false and the value has passed the clear level: v <= clear for > and >=, v >= clear for
    < and <=. The clear level is the threshold unless another is given.
  - on_create fire: a condition that holds when the rule is made counts as having just come true. on_create wait: it must
    pass the clear level first.
  - A measure without a value changes nothing.
  - A change of what a rule looks like (name, severity, cooldown, on_create) says nothing and fires nothing. A new hold is counted
    from when the condition came true; a new clear level ends what is firing if the value has passed it; a new condition (measure,
    comparison, threshold) ends what is firing unless it holds too, and begins anew what is not firing. A rule that is disabled or
    deleted while it fires resolves; one that is enabled begins anew. A cooldown that runs goes on over all of these.
  - Each firing is a new episode, its resolution has the same, and both say since when the condition has been true.

A rule that resolves at a record does not fire again at the same one; a due time that has passed and the record's own effect may
both show at one record, in that order."""""
import functools
from dataclasses import dataclass, field

import oracle
import streams

S = 10 ** 9
HOLDS = {">": lambda v, x: v > x, ">=": lambda v, x: v >= x, "<": lambda v, x: v < x, "<=": lambda v, x: v <= x}


@dataclass
class Rule:
    measure: str
    op: str
    threshold: float
    clear: float = None
    hold_s: int = 0
    cooldown_s: int = 0
    on_create: str = "fire"
    name: str = ""
    enabled: bool = True
    episode: int = field(default=0, init=False)
    state: str = field(default="ok", init=False)
    since: int = field(default=0, init=False)
    quiet_until: int = field(default=0, init=False)
    waits: bool = field(default=False, init=False)      # on_create wait: not armed yet
    overdue: bool = field(default=False, init=False)    # it came due while there was no value
    again: bool = field(default=False, init=False)      # at its due time it saw another value than stands
    said: int = field(default=0, init=False)

    def body(self):
        """What POST /v1/rules takes."""
        return {"name": self.name, "rule": f"{self.measure} {self.op} {number(self.threshold)}",
                **({} if self.clear is None else {"clear": number(self.clear)}),
                "hold_s": self.hold_s, "cooldown_s": self.cooldown_s, "on_create": self.on_create}

    def holds(self, v):
        return HOLDS[self.op](v, self.threshold)

    def clears(self, v):
        clear = self.threshold if self.clear is None else self.clear
        return not self.holds(v) and (v <= clear if ">" in self.op else v >= clear)

    def due(self):
        return max(self.since + self.hold_s * S, self.quiet_until)

    def fire(self, now, value):
        self.state, self.quiet_until, self.episode, self.said = "firing", now + self.cooldown_s * S, self.episode + 1, now
        self.overdue = False
        return ("firing", now, value)

    def created(self, value):
        """The value standing when the rule is made, or None."""
        self.waits = self.on_create == "wait" and value is not None and self.holds(value)

    def is_due(self, now):
        return self.state == "pending" and not self.overdue and self.due() <= now

    def time(self, now, stood):
        """Time reaches `now`; `stood` is the value at the rule's due time."""
        if not self.is_due(now):
            return None
        if stood is None:
            self.overdue = True
        elif self.holds(stood):
            return self.fire(self.due(), stood)
        else:
            self.state = "ok"
        return None

    def when(self, t, at):
        """The rule's time at a record of time t, where its measure stands since `at`."""
        return max(t, at, self.said, self.due() if self.overdue else 0)

    def value(self, now, v):
        """The measure is v from `now` on."""
        if v is None:
            return None
        if self.waits:
            self.waits = not self.clears(v)
            return None
        if self.state == "firing":
            if self.clears(v):
                self.state, self.said = "ok", now
                return ("resolved", now, v)
            return None
        if not self.holds(v):
            self.state, self.overdue = "ok", False
            return None
        if self.state == "ok":
            self.state, self.since = "pending", now
        return self.fire(now, v) if now >= self.due() else None     # due while there was no value: at the first one

    def changed(self, now, v, new):
        """The definition is that of `new` from now on, and v the value of its measure, or None for a rule that has gone (new is None,
        or disabled). Returns (the rule that goes on, what is said: None or (state, reason, value))."""
        if new is None or not new.enabled:
            said = ("resolved", "disabled" if new else "deleted", v) if self.enabled and self.state == "firing" else None
            return new and self.hand_over(new), said
        if not self.enabled:
            return self.anew(now, v, new)
        if (self.measure, self.op, self.threshold) != (new.measure, new.op, new.threshold):
            if self.state != "firing":
                return self.anew(now, v, new)
            self.hand_over(new).state, new.since = "firing", self.since
            if new.holds(v):
                return new, None
            new.state = "ok"
            return new, ("resolved", "changed", v)
        self.hand_over(new)
        new.state, new.since, new.waits = self.state, self.since, self.waits
        if new.state == "firing" and new.clears(v):
            new.state = "ok"
            return new, ("resolved", "changed", v)
        if new.waits:
            new.waits = not new.clears(v)
        due = new.state == "pending" and v is not None and new.due() <= now
        return new, new.fire(now, v) and ("firing", "met", v) if due else None

    def hand_over(self, new):
        new.quiet_until, new.episode, new.said = self.quiet_until, self.episode, self.said
        return new

    def anew(self, now, v, new):
        self.hand_over(new).created(v)
        hit = new.value(now, v)
        return new, hit and ("firing", "met", v)


def number(x):
    """Decimal text without an exponent."""
    text = f"{x:.8f}".rstrip("0").rstrip(".")
    assert float(text) == x, x
    return text


def owed(rules, steps):
    """steps: (seq, time, stood, apply) of each record. stood(measure, ns) is the value of a measure then, with no record since those
    before this one; None: as it was after the last. apply() has the record take effect, and gives (measure -> value after it, the
    measures that it moved; None: all). Returns (seq, event_ns, rule name, state, value), in order of seq; of one record what came due,
    and then the others in the order of the rules. Rules must stand before the first step."""
    out, standing, last, since = [], {}, {}, {}

    def say(seq, r, hit):
        if hit:
            out.append((seq, hit[1], r.name, hit[0], hit[2]))

    for seq, t, stood, apply in steps:
        for due, n in sorted((r.due(), n) for n, r in enumerate(rules) if r.is_due(t)):
            r, value = rules[n], standing.get(rules[n].measure)
            then = stood(r.measure, due) if stood else value
            say(seq, r, r.time(t, then))
            r.again = then != value
        values, moved = apply()
        for measure in {r.measure for r in rules}:
            v = values(measure)
            if v is not None and v != last.get(measure):
                last[measure], since[measure] = v, max(t, since.get(measure, 0))
        for r in rules:
            v = values(r.measure)
            looks = v != standing.get(r.measure) or (r.again and (moved is None or r.measure in moved))
            if v is not None and looks:
                say(seq, r, r.value(r.when(t, since[r.measure]), v))
                r.again = False
        for r in rules:
            standing[r.measure] = values(r.measure)
    return out


def times(records):
    """(seq, message, its time for the rules): a price's own, of all else the greatest so far."""
    now = 0
    for seq, message in records:
        now = max(now, message["ts"])
        yield seq, message, message["ts"] if message["kind"] in ("trade", "close") else now


def reference_alerts(wanted, records):
    """The reference evaluator over the stored records, which are those of the topic in its order."""
    market = oracle.Market()

    def apply(message):
        if message["kind"] in ("trade", "close", "instrument", "shares", "index", "membership", "clock", "refusal"):
            market.apply(message)
        cache = {}
        return lambda m: cache[m] if m in cache else cache.setdefault(m, market.measure(m)), None

    return owed(wanted, ((seq, t, None, functools.partial(apply, message)) for seq, message, t in times(records)
                         if message["kind"] != "rule"))      # all made before the stream


def rules(rng):
    """Upward and downward, with and without clear level, hold and cooldown, spread over where the walks of streams.py go."""
    out = []

    def add(measure, op, threshold, gap, hold_s, cooldown_s):
        clear = None if gap is None else round(threshold - gap if ">" in op else threshold + gap, 5)
        out.append(Rule(measure, op, round(threshold, 5), clear, hold_s, cooldown_s, name=f"{len(out)} {measure}"))

    for n in range(streams.LINES * 4):
        measure = f"last({streams.symbol(n % streams.LINES)})"
        add(measure, rng.choice((">", ">=")), rng.randrange(10, 500) + 0.55, rng.choice((None, 0, 0.25, 2)), rng.choice((0, 0, 5)), rng.choice((0, 30, 600)))
        add(measure, rng.choice(("<", "<=")), rng.randrange(10, 500) + 0.35, rng.choice((None, 0, 0.25, 2)), rng.choice((0, 3, 60)), rng.choice((0, 20)))
    for n in range(30):
        add(f"level({streams.INDEX})", ">", 850 + 10 * n + 0.12345, rng.choice((None, 2)), rng.choice((0, 10)), rng.choice((0, 300)))
        add(f"hhi({streams.INDEX})", ">=", 800 + 60 * n + 0.5, rng.choice((None, 5)), rng.choice((0, 2)), rng.choice((0, 120)))
        add(f"top_weight({streams.INDEX}, n=3)", "<=", 30 + 2 * n, rng.choice((None, 0.5)), rng.choice((0, 7)), 0)
    return out
