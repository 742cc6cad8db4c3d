"""Taking turns, medians, ratios, and whether a goal is met."""

import dataclasses
import statistics
import sys


@dataclasses.dataclass(frozen=True)
class Goal:
    """`over` divided by `under` (or `over` itself) compared with a bound, of one figure."""

    figure: str
    over: str
    under: str | None
    at_least: bool
    must: float | None
    aim: float | None = None

    @property
    def row(self):
        """Where it is shown: beside the peer."""
        return self.over if self.over != "wsm" else self.under or self.over

    def value(self, case):
        over = case.median(self.over, self.figure)
        if self.under is None or over is None:
            return over
        under = case.median(self.under, self.figure)
        return None if not under else over / under

    def is_met(self, value, bound):
        return value >= bound if self.at_least else value <= bound

    def verdict(self, case):
        """As text: what was found, what must be, what is aimed at."""
        value = self.value(case)
        if value is None:
            return ""
        sign = ">=" if self.at_least else "<="
        what = self.over + (f"/{self.under}" if self.under else "")
        text = f"{what} {value:.2f}"
        if self.must is not None:
            text += f" {sign} {self.must:g}: " + (
                "met" if self.is_met(value, self.must) else "NOT MET")
        if self.aim is not None:
            text += f" (aim {sign} {self.aim:g}: {'met' if self.is_met(value, self.aim) else 'no'})"
        return text


def at_least(figure, over, under, must, aim=None):
    return Goal(figure, over, under, True, must, aim)


def at_most(figure, over, under, must, aim=None):
    return Goal(figure, over, under, False, must, aim)


@dataclasses.dataclass(frozen=True)
class Column:
    figure: str
    title: str
    form: str = ",.1f"


class Case:
    """The runs of one case: for each peer a list of figures."""

    def __init__(self, name, columns, goals=(), note=""):
        self.name, self.columns, self.goals, self.note = name, columns, goals, note
        self.rows = {}

    def run(self, peers, rounds, measure):
        """Peers take turns, so that a busy minute falls on all of them."""
        for _ in range(rounds):
            for peer in peers:
                self.rows.setdefault(peer, []).append(measure(peer))
        self.show()
        return self

    def median(self, peer, figure):
        found = [run[figure] for run in self.rows.get(peer, []) if run.get(figure) is not None]
        return statistics.median(found) if found else None

    def spread(self, peer, figure):
        found = [run[figure] for run in self.rows.get(peer, []) if run.get(figure) is not None]
        return (min(found), max(found)) if found else None

    def _cell(self, column, peer):
        value = self.median(peer, column.figure)
        return "-" if value is None else format(value, column.form)

    def _against_wsm(self, peer):
        own = self.median("wsm", self.columns[0].figure)
        value = self.median(peer, self.columns[0].figure)
        return f"{value / own:.2f}" if own and value is not None else "-"

    def table(self):
        runs = max(len(runs) for runs in self.rows.values())
        lines = [f"\n{self.name}: medians of {runs}" + (f"; {self.note}" if self.note else "")]
        head = "".join(f"{column.title:>16}" for column in self.columns)
        lines.append(f"{'':16}{head}{'x wsm':>8}")
        for peer in self.rows:
            cells = "".join(f"{self._cell(column, peer):>16}" for column in self.columns)
            verdicts = [goal.verdict(self) for goal in self.goals if goal.row == peer]
            tail = "; ".join(text for text in verdicts if text)
            lines.append(f"{peer:16}{cells}{self._against_wsm(peer):>8}  {tail}".rstrip())
        return "\n".join(lines)

    def show(self):
        print(self.table())
        sys.stdout.flush()

    def record(self):
        """For the JSON file."""
        return {
            "case": self.name, "note": self.note, "runs": self.rows,
            "verdicts": [
                {"figure": goal.figure, "over": goal.over, "under": goal.under,
                 "value": goal.value(self), "must": goal.must, "aim": goal.aim,
                 "met": goal.must is None or (value := goal.value(self)) is not None
                 and goal.is_met(value, goal.must)}
                for goal in self.goals]}
