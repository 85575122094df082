"""tools/bench_plot.py: the picture says what the numbers say, and docs/ has that of its own."""
import xml.etree.ElementTree as ElementTree

import bench
import bench_plot
import pytest

SVG = "{http://www.w3.org/2000/svg}"
DESIGNS = ["walk", "mirror", "share"]


def drawn(counts, linux=""):
    """(texts, bars) of one operation; a bar is (colour, left, width)."""
    operations = [{"key": "k", "title": "a < b", "group": "call", "linux": linux, "xv6": ""}]
    root = ElementTree.fromstring(bench_plot.svg(
        operations, DESIGNS, {d: {"k": n} for d, n in zip(DESIGNS, counts)}))
    bars = [(e.get("fill"), float(e.get("x")), float(e.get("width")))
            for e in root.iter(SVG + "rect") if float(e.get("y")) > bench_plot.TOP - 1]
    return [e.text for e in root.iter(SVG + "text")], bars


def test_bars():
    """Logarithms on the left; on the right how many times as many as walk needs."""
    texts, bars = drawn([1000, 1500, 750], linux="100000")
    quarter = (bench_plot.RIGHT - bench_plot.RATIOS) / 3  # 0.75 to 1.5 are three of them
    one = bench_plot.RATIOS + quarter
    decade = (bench_plot.MIDDLE - bench_plot.LEFT) / 3
    assert "a < b" in texts and texts.index("×0.75") < texts.index("×1") < texts.index("×1.5")
    log = [bar for bar in bars if bar[1] == bench_plot.LEFT]
    ratios = [bar for bar in bars if bar[1] > bench_plot.MIDDLE]
    assert [colour for colour, _, _ in log] == bench_plot.COLOURS[:3]
    assert log[0][2] == pytest.approx(decade, abs=0.1) and log[2][2] < log[0][2] < log[1][2]
    assert ratios == [(bench_plot.COLOURS[1], pytest.approx(one, abs=0.1),
                       pytest.approx(2 * quarter, abs=0.1)),
                      (bench_plot.COLOURS[2], pytest.approx(one - quarter, abs=0.1),
                       pytest.approx(quarter, abs=0.1))]


def test_nothing_to_compare():
    """Alike in all designs: no bar on the right, and still a scale around 1."""
    texts, bars = drawn([3, 3, 3])
    assert len(bars) == 3 and {"×0.75", "×1", "×1.25"} <= set(texts)


def test_axis():
    assert [bench_plot.number(10 ** n) for n in range(10)] == [
        "1", "10", "100", "1 k", "10 k", "100 k", "1 M", "10 M", "100 M", "1 G"]


def test_the_documents_picture(tmp_path):
    """tools/bench.py --plot draws it again."""
    bench.plot(tmp_path / "now.svg")
    with open(bench.PICTURE, encoding="utf-8") as f:
        assert f.read() == (tmp_path / "now.svg").read_text(encoding="utf-8")
