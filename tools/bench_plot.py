"""The benchmarks as a picture: horizontal bars on a logarithmic scale, one group an
operation, one bar a design, marks for other systems. Legible on light and dark."""
import math
from xml.sax.saxutils import escape

LEFT, RIGHT, TOP = 330, 30, 64
WIDTH = 900
BAR, GAP = 7, 10
COLOURS = ["#8c8c96", "#c8783c", "#4682c8", "#3ca078", "#a05ab4", "#b4a03c"]
MARKS = {"linux": ("Linux", "#d03c3c"), "xv6": ("xv6", "#9650c8")}
STYLE = """text { font: 12px sans-serif; fill: #24292f }
.grid { stroke: #8c8c96; stroke-opacity: 0.3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }"""


class Scale:
    """Powers of ten between the smallest and the largest value, on the x axis."""

    def __init__(self, values):
        self.low = math.floor(math.log10(max(1, min(values))))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)

    def x(self, value):
        part = (math.log10(max(1, value)) - self.low) / (self.high - self.low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)


def label(power):
    return {0: "1", 3: "1 k", 6: "1 M", 9: "1 G"}.get(power, f"10^{power}")


def grid(scale, bottom):
    parts = []
    for power in range(scale.low, scale.high + 1):
        x = scale.x(10 ** power)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP - 14}" text-anchor="middle">{label(power)}</text>')
    return parts


def legend(designs):
    parts, x = ['<text x="10" y="20">Guest instructions of one operation</text>'], LEFT
    for i, design in enumerate(designs):
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<rect x="{x}" y="12" width="14" height="8" fill="{colour}"/>')
        parts.append(f'<text x="{x + 20}" y="20">{escape(design)}</text>')
        x += 90
    for name, colour in MARKS.values():
        parts.append(f'<circle cx="{x + 5}" cy="16" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14}" y="20">{name}</text>')
        x += 70
    return parts


def group(operation, designs, counts, scale, y):
    middle = y + len(designs) * BAR / 2
    parts = [f'<text x="{LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end">'
             f'{escape(operation["title"])}</text>']
    for i, design in enumerate(designs):
        end = scale.x(counts[design][operation["key"]])
        parts.append(f'<rect x="{LEFT}" y="{y + i * BAR}" width="{max(1, end - LEFT):.1f}" '
                     f'height="{BAR - 1}" fill="{COLOURS[i % len(COLOURS)]}"/>')
    for key, (_, colour) in MARKS.items():
        if operation[key]:
            parts.append(f'<circle cx="{scale.x(int(operation[key])):.1f}" cy="{middle:.1f}" r="4" '
                         f'fill="{colour}"/>')
    return parts


def svg(operations, designs, counts):
    """The text of the picture. operations: rows of docs/benchmarks-peers.csv."""
    shown = [o for o in operations if o["group"] != "frames"]
    values = [counts[d][o["key"]] for d in designs for o in shown]
    values += [int(o[m]) for o in shown for m in MARKS if o[m]]
    scale = Scale(values)
    step = len(designs) * BAR + GAP
    bottom = TOP + len(shown) * step
    parts = legend(designs) + grid(scale, bottom)
    for i, operation in enumerate(shown):
        parts += group(operation, designs, counts, scale, TOP + i * step)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 10}" '
            f'width="{WIDTH}" height="{bottom + 10}">\n<style>{STYLE}</style>\n'
            + "\n".join(parts) + "\n</svg>\n")
