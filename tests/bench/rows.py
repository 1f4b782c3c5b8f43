"""Rows of the tables, and the rounds that they are measured in.

SPDX-License-Identifier: MIT
"""

import statistics

from noise import undisturbed

HEAD = "| what | bar (goal) | ratio | | medians |\n| --- | --- | --- | --- | --- |"
NOISE, RETRIES = 0.7, 5


class Row:
    """One bar: `ours` is held against `against`, in every round."""

    def __init__(self, says, bar, goal, ours, against):
        self.says, self.bar, self.goal, self.ours, self.against = says, bar, goal, ours, against
        self.ratio, self.rates = None, {}

    def measure(self, rounds):
        self.ratio = statistics.median(one[self.ours] / one[self.against] for one in rounds)
        self.rates = {who: statistics.median(one[who] for one in rounds) for who in rounds[0]}

    def line(self):
        rates = f"{self.ours} {self.rates[self.ours]:,.0f}/s, {self.against} {self.rates[self.against]:,.0f}/s"
        bar = (f"{self.bar:g}" if self.bar else "") + (f" ({self.goal:g})" if self.goal else "")
        return f"| {self.says} | {bar} | {self.ratio:.2f} | {self.verdict()} | {rates} |"

    def verdict(self):
        if not self.bar:
            return ""
        if self.goal and self.ratio >= self.goal:
            return "PASS, goal"
        return "PASS" if self.ratio >= self.bar else "short"


class Limit:
    """A bar that is a number and no ratio: the less the better."""

    def __init__(self, says, bar, unit, got):
        self.says, self.bar, self.unit, self.got = says, bar, unit, got

    def line(self):
        verdict = "PASS" if self.got <= self.bar else "short"
        return f"| {self.says} | ≤ {self.bar:g} {self.unit} | {self.got:.3g} {self.unit} | {verdict} | |"


class Spread:
    """Runs of one kind: the worst against the best, for what stands still now and then. One run alone says nothing."""

    def __init__(self, says, bar, runs):
        self.says, self.bar, self.runs = says, bar, runs
        self.ratio = min(runs) / max(runs)

    def line(self):
        bar = f"{self.bar:g}" if self.bar else ""
        verdict = "" if not self.bar or len(self.runs) < 2 else "PASS" if self.ratio >= self.bar else "short"
        return (f"| {self.says} | {bar} | {self.ratio:.2f} | {verdict} | {statistics.median(self.runs):,.0f}/s, "
                f"worst {min(self.runs):,.0f}/s, best {max(self.runs):,.0f}/s |")


class Beside:
    """One figure of several: the first one's against the second's, the median of the rounds' ratios. No bar."""

    def __init__(self, says, rounds, figure, names):
        self.says, self.figure = says, figure
        each = [[getattr(one[who], figure) for who in names] for one in rounds]
        self.medians = dict(zip(names, map(statistics.median, zip(*each))))
        self.ratio = statistics.median(ours / other for ours, other, *_ in each)

    def line(self):
        shown = "{:,.0f}/s" if self.figure == "rate" else "{:.2f} ms"
        medians = ", ".join(f"{who} {shown.format(got)}" for who, got in self.medians.items())
        return f"| {self.says} | | {self.ratio:.2f} | | {medians} |"


def in_turn(n, samples):
    """n rounds of {who: its figures}, every other one backwards: what comes first has no advantage by that."""
    rounds = []
    for turn in range(n):
        order = list(samples.items())[:: -1 if turn % 2 else 1]
        rounds.append({who: undisturbed(sample) for who, sample in order})
        print("  " + "  ".join(f"{who} {rounds[-1][who]}" for who in samples), flush=True)
    return rounds


def rounds_of(n, samples):
    """n rounds of {who: its rate}; those with a weak bare figure are run again."""
    rounds, retries = [], 0
    while True:
        while len(rounds) < n:
            rounds.append({who: undisturbed(sample) for who, sample in samples.items()})
            print("  " + "  ".join(f"{who} {rate:,.0f}" for who, rate in rounds[-1].items()), flush=True)
        best = max(one["bare"] for one in rounds)
        good = [one for one in rounds if one["bare"] >= NOISE * best]
        if len(good) == n or retries >= RETRIES:
            return rounds
        retries += n - len(good)
        print(f"  {n - len(good)} disturbed, again", flush=True)
        rounds = good
