"""docs/locking.md shows the list of locks as it is, and the list has the locks that there are."""
import os
import re

import machine
import pytest
import ranks
import rules

FOUND = ranks.ranks(ranks.read(ranks.LIST))


def kernel_text():
    return "".join(rules.without_comments(ranks.read(os.path.join(machine.ROOT, path)))
                   for path, layer in rules.kernel_files(machine.ROOT))


def test_the_page_shows_the_list():
    page = ranks.read(ranks.PAGE)
    assert ranks.with_tables(page, FOUND) == page, "make it again: tools/ranks.py"


@pytest.mark.parametrize("change", [
    ('"the pool of free frames', '"a pool of frames'),
    ('RISING, "hart\'s frames"', 'NEVER, "hart\'s frames"'),
    ("UNDER(NAMES)", "UNDER(LOG_OP)"), ("RANK(UART, SPIN", "RANK(UART, SLEEP")])
def test_another_list_is_another_page(change):
    text = ranks.read(ranks.LIST).rpartition("*/")[2]
    assert text.count(change[0]) == 1
    page = ranks.read(ranks.PAGE)
    assert ranks.with_tables(page, ranks.ranks(text.replace(*change))) != page


def test_a_line_that_is_no_rank():
    with pytest.raises(ValueError):
        ranks.ranks('RANK(A, SPIN, NEVER, "a", "b")\n')


def test_sleeplocks_come_first():
    assert [sort for _, sort, *_ in FOUND] == sorted(sort for _, sort, *_ in FOUND)
    assert {sort for _, sort, *_ in FOUND} == set(ranks.SORTS)


@pytest.mark.parametrize("rank, sort", [found[:2] for found in FOUND])
def test_a_rank_is_some_locks(rank, sort):
    takers = {"SLEEP": r"(?:sleeplock_init|SLEEPLOCK_INIT|sleep_enter|sleep_may_wait)",
              "SPIN": r"(?:spin_init|SPINLOCK_INIT|spin_entered|IPC_TABLE_INIT)"}
    assert re.search(takers[sort] + rf"\((?:[^;()]*, )?RANK_{rank}\)", kernel_text())


@pytest.mark.parametrize("guards", [guards for _, _, _, _, guards, _ in FOUND])
def test_who_owns_a_lock_is_there(guards):
    paths = [path for path, _ in rules.kernel_files(machine.ROOT)]
    names = {"/".join(path.split(os.sep)[-n:]) for path in paths for n in (1, 2)}
    files = set(re.findall(r"`([\w./]+)`", guards))
    assert files and files <= names
