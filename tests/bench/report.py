"""What the parts found, as a text table, CSV and SVG; and the table in the README."""

import csv
import os
import re
import shutil
import subprocess

MARKERS = ("<!-- bench:state -->", "<!-- /bench:state -->")


class Bar:
    """A promise beside its figure. `figure` None: not measured, `why` says why."""

    def __init__(self, text, figure, bound, unit="", why="not measured"):
        self.text, self.figure, self.bound, self.unit, self.why = text, figure, bound, unit, why

    @property
    def is_met(self):
        return self.figure is not None and self.reaches(self.figure)

    def row(self):
        """Text, bound, figure, verdict."""
        bound = f"{self.sign} {self.bound:g}{self.unit}"
        if self.figure is None:
            return [self.text, bound, "-", self.why]
        return [self.text, bound, f"{self.figure:.4g}{self.unit}", "met" if self.is_met else "NOT MET"]


class AtLeast(Bar):
    sign = ">="

    def reaches(self, figure):
        return figure >= self.bound


class AtMost(Bar):
    sign = "<="

    def reaches(self, figure):
        return figure <= self.bound


class Plot:
    """Lines of (x, y) by name. `ticks`: names of the x values 0, 1, 2, ... instead of numbers."""

    def __init__(self, name, title, x, y, lines, ticks=None, log_x=False):
        self.name, self.title, self.x, self.y = name, title, x, y
        self.lines, self.ticks, self.log_x = lines, ticks, log_x


class Section:
    """One part of the report. `rows` are for people, `csv_rows` have everything."""

    def __init__(self, name, title):
        self.name, self.title = name, title
        self.head, self.rows = [], []
        self.csv_head, self.csv_rows = [], []
        self.bars, self.plots, self.notes = [], [], []

    def text(self):
        parts = [f"== {self.title}", ""]
        parts += format_table(self.head, self.rows)
        parts += [f"({note})" for note in self.notes]
        return "\n".join(parts) + "\n"


def format_table(head, rows):
    """Lines: the first column to the left, the others to the right."""
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return lines


def format_bars(sections):
    rows = [bar.row() for section in sections for bar in section.bars]
    return "\n".join(["== Promises", "", *format_table(["", "promised", "measured", ""], rows)]) + "\n" if rows else ""


def number(value):
    """Three digits or whole: 0.52, 8.4, 8431; - for none."""
    if value is None or value == float("inf"):
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def write_csv(section, folder):
    with open(os.path.join(folder, section.name + ".csv"), "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(section.csv_head)
        writer.writerows(section.csv_rows)


# ---- plots ----


def quoted(text):
    """In gnuplot's single quotes, where one is written twice."""
    return "'" + text.replace("'", "''") + "'"


def plot_script(plot, output):
    """What gnuplot is told; nothing when no point can be drawn."""
    blocks, drawn = [], []
    for index, (name, points) in enumerate(plot.lines.items()):
        points = [(x, y) for x, y in points if y not in (None, 0, float("inf"))]
        if points:
            blocks.append(f"$line{index} << END\n" + "".join(f"{x} {y}\n" for x, y in points) + "END\n")
            drawn.append(f"$line{index} with linespoints lw 2 pt 7 ps 0.5 title {quoted(name)}")
    ticks = ""
    if plot.ticks:
        ticks = "set xtics (" + ", ".join(f"{quoted(name)} {i}" for i, name in enumerate(plot.ticks)) + ")\n"
    elif plot.log_x:
        ticks = "set logscale x 2\n"
    if not drawn:
        return ""
    return (
        "".join(blocks) + f"set terminal svg size 720,420 background 'white'\nset output {quoted(output)}\n"
        f"set title {quoted(plot.title)}\nset xlabel {quoted(plot.x)}\nset ylabel {quoted(plot.y)}\n"
        "set logscale y\nset format y '%g'\nset grid\nset key outside right noenhanced\n"
        f"set offsets graph 0.03, graph 0.03, 0, 0\n{ticks}plot {', '.join(drawn)}\n"
    )


def write_plots(sections, folder):
    """A line that says why there are none, or nothing."""
    program = shutil.which("gnuplot")
    if program is None:
        return "no plots: gnuplot is not installed (Debian: gnuplot-nox)"
    for plot in (plot for section in sections for plot in section.plots):
        script = plot_script(plot, os.path.join(folder, plot.name + ".svg"))
        if script:
            subprocess.run([program], input=script, text=True, check=True, timeout=60)
    return ""


# ---- the README ----


def rewrite_readme(path, text):
    """Puts `text` between the two markers, each on a line of its own."""
    with open(path) as file:
        old = file.read()
    begin, end = map(re.escape, MARKERS)
    new, count = re.subn(rf"({begin}\n).*?({end}\n)", lambda found: found[1] + text + found[2], old, flags=re.S)
    if count != 1:
        raise SystemExit(f"{path}: the lines {MARKERS[0]} and {MARKERS[1]} must stand there once")
    with open(path, "w") as file:
        file.write(new)
