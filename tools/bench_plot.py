"""The benchmarks as a picture, one row an operation, one bar a design: on the left how many
instructions, on a logarithmic scale, with marks for other systems; on the right how many times
as many as the first design needs, from 1 to either side. Legible on light and dark."""
import math
from xml.sax.saxutils import escape

WIDTH, LEFT, TOP = 1040, 330, 72
MIDDLE, RATIOS, RIGHT = 690, 730, 1020  # where the one scale ends, the other begins and ends
BAR, GAP = 7, 10
COLOURS = ["#85858f", "#e08a2e", "#3566c0", "#5cc4ad", "#a05ab4", "#b4a03c"]
MARKS = {"linux": ("Linux", "#d03c3c"), "xv6": ("xv6", "#9650c8")}
STEP = 0.25  # between two marks of the ratios
STYLE = """text { font: 12px sans-serif; fill: #24292f }
.grid { stroke: #8c8c96; stroke-opacity: 0.3 }
.one { stroke: #8c8c96 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }"""


class Scale:
    """Where a value stands on the x axis; steps are the values that are marked there."""

    def __init__(self, left, right, steps, place=float):
        self.left, self.right, self.steps, self.place = left, right, steps, place

    def x(self, value):
        low, high = self.place(self.steps[0]), self.place(self.steps[-1])
        return self.left + (self.place(value) - low) / (high - low) * (self.right - self.left)


def instruction_scale(values):
    """Powers of ten around all values."""
    low = math.floor(math.log10(max(1, min(values))))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    return Scale(LEFT, MIDDLE, [10 ** power for power in range(low, high + 1)],
                 lambda value: math.log10(max(1, value)))


def ratio_scale(ratios):
    """Quarters around all ratios, and around 1."""
    low = math.floor(min([1 - STEP, *ratios]) / STEP)
    high = math.ceil(max([1 + STEP, *ratios]) / STEP)
    return Scale(RATIOS, RIGHT, [n * STEP for n in range(low, high + 1)])


def number(value):
    """1, 10, 100, 1 k ... for any power of ten."""
    power = round(math.log10(value))
    unit = ("", " k", " M", " G", " T")[power // 3]
    return f"{10 ** (power % 3)}{unit}"


def times(ratio):
    return f"\u00d7{ratio:g}"


def grid(scale, text, bottom):
    parts = []
    for value in scale.steps:
        x, kind = scale.x(value), "one" if scale.left == RATIOS and value == 1 else "grid"
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" '
                     f'y1="{TOP - 8}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP - 14}" text-anchor="middle">{text(value)}</text>')
    return parts


def mark(key, x, y):
    """A circle, or a square on its corner, so that nobody needs the colour."""
    colour = MARKS[key][1]
    if key == "linux":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    return f'<path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z" fill="{colour}"/>'


def legend(designs):
    parts = [f'<text x="{LEFT}" y="40">Guest instructions of one operation</text>',
             f'<text x="{RATIOS}" y="40">The same, compared with {escape(designs[0])}</text>']
    x = LEFT
    for i, design in enumerate(designs):
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<rect x="{x}" y="8" width="14" height="8" fill="{colour}"/>')
        parts.append(f'<text x="{x + 20}" y="16">{escape(design)}</text>')
        x += 90
    for key, (name, _) in MARKS.items():
        parts.append(mark(key, x + 5, 12))
        parts.append(f'<text x="{x + 16}" y="16">{name}</text>')
        x += 70
    return parts


def bar(a, b, y, i):
    left, width = min(a, b), max(1, abs(b - a))
    return f'<rect x="{left:.1f}" y="{y + i * BAR}" width="{width:.1f}" height="{BAR - 1}" ' \
           f'fill="{COLOURS[i % len(COLOURS)]}"/>'


def row(operation, values, scale, ratios, y):
    """values: instructions of each design."""
    middle = y + len(values) * BAR / 2
    parts = [f'<text x="{LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end">'
             f'{escape(operation["title"])}</text>']
    for i, value in enumerate(values):
        parts.append(bar(LEFT, scale.x(value), y, i))
        if i and value != values[0]:
            parts.append(bar(ratios.x(1), ratios.x(value / values[0]), y, i))
    parts += [mark(key, scale.x(int(operation[key])), middle) for key in MARKS if operation[key]]
    return parts


def svg(operations, designs, counts):
    """The text of the picture. operations: rows of docs/benchmarks-peers.csv."""
    shown = [o for o in operations if o["group"] != "frames"]
    values = [[counts[d][o["key"]] for d in designs] for o in shown]
    peers = [int(o[m]) for o in shown for m in MARKS if o[m]]
    scale = instruction_scale([v for each in values for v in each] + peers)
    ratios = ratio_scale([v / each[0] for each in values for v in each])
    step = len(designs) * BAR + GAP
    bottom = TOP + len(shown) * step
    parts = legend(designs) + grid(scale, number, bottom) + grid(ratios, times, bottom)
    for i, operation in enumerate(shown):
        parts += row(operation, values[i], scale, ratios, TOP + i * step)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 10}" '
            f'width="{WIDTH}" height="{bottom + 10}">\n<style>{STYLE}</style>\n'
            + "\n".join(parts) + "\n</svg>\n")
