"""What ./test has pytest do besides: it names the tests with their marks, and measures what each
takes of the processors, with the machines that it has started. Its arguments are pytest's."""
import os
import sys

import pytest


def processor_seconds():
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


class Measure:
    """Each test is told what has been used since the last one ended."""

    def __init__(self):
        self.before = processor_seconds()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call):
        report = (yield).get_result()
        if call.when == "teardown":
            now = processor_seconds()
            report.user_properties.append(("cpu", f"{now - self.before:.2f}"))
            self.before = now


def pytest_configure(config):
    if not config.option.collectonly:
        config.pluginmanager.register(Measure())


def pytest_collection_finish(session):
    if session.config.option.collectonly:
        for item in session.items:
            print("test", item.nodeid, *(mark.name for mark in item.iter_markers()), sep="\t")


if __name__ == "__main__":
    sys.exit(pytest.main(sys.argv[1:], plugins=[sys.modules[__name__]]))
