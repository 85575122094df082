"""What all Python tests share: the tools are importable."""
import os
import signal
import sys

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))


def pytest_configure(config):
    # What is started in the background, or by nohup, may have been told to ignore them, and so
    # would all that tests start and then end by a signal.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else
                          signal.default_int_handler)
    config.addinivalue_line("markers", "long: takes more than some ten seconds; ./test gives it a "
                            "process of its own")
    config.addinivalue_line("markers", "hand: for hand runs; ./test leaves it out when it is not "
                            "named, and says so")
    config.addinivalue_line("markers", "designs(NAME...): of a test under every design, all others "
                            "than these are for hand runs")
    config.addinivalue_line("markers", "wide: keeps many processors busy for long; ./test -j N "
                            "runs N / 2 of these at a time")
