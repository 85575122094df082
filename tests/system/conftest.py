"""Fixtures for tests that boot the kernel, and the designs as a parameter."""
import machine
import pytest
from guest import Guest, PYTEST_DESIGNS, change_program


def pytest_generate_tests(metafunc):
    if "design" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("designs")
        metafunc.parametrize("design", [
            pytest.param(design, marks=pytest.mark.hand) if mark and design not in mark.args
            else design for design in PYTEST_DESIGNS])


@pytest.fixture
def boot():
    """boot(...) starts a Guest; all of them are ended with the test."""
    guests = []

    def start(**kwargs):
        kwargs.setdefault("design", machine.default_design())
        guests.append(Guest(**kwargs))
        return guests[-1]
    yield start
    for guest in guests:
        guest.end()


@pytest.fixture
def image(tmp_path):
    """A copy of the default disk image, to be changed."""
    path = tmp_path / "fs.img"
    with open(machine.default_image(), "rb") as f:
        path.write_bytes(f.read())
    return path


@pytest.fixture
def foreign(image):
    """The default image with an init that looks like another's."""
    change_program(image, "/init", b"Trellis init", b"Another init")
    return image
