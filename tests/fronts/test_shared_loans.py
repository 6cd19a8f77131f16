"""Processes count the loans of a client together."""

import mmap
import os

from wgig.fronts.shared_loans import SharedLoans
from wgig.fronts.shared_memory import SharedLock

ROW_COUNT, MAX_LOANS = 4, 3


def make_loans() -> SharedLoans:
    return SharedLoans(row_count=ROW_COUNT, row_loans=6, max_per_client=MAX_LOANS)


def test_client_has_at_most_the_loans_of_the_limit() -> None:
    loans = make_loans()
    loans.claim_row()
    assert [loans.add("a") for _ in range(MAX_LOANS + 1)] == [True] * MAX_LOANS + [False]
    assert loans.is_reached("a")
    assert not loans.is_reached("b")
    assert loans.add("b")
    loans.remove("a")
    assert not loans.is_reached("a")
    assert loans.add("a")
    assert not loans.add("a")


def test_loans_of_another_process_count_until_its_row_is_cleared() -> None:
    loans = make_loans()
    loans.claim_row()
    child = os.fork()
    if not child:
        loans.claim_row()
        os._exit(sum(loans.add("a") for _ in range(MAX_LOANS)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == MAX_LOANS
    assert loans.is_reached("a")
    loans.clear_row(child)
    assert [loans.add("a") for _ in range(MAX_LOANS + 1)] == [True] * MAX_LOANS + [False]


def test_processes_at_once_never_exceed_the_limit() -> None:
    loans, lock, counts = make_loans(), SharedLock(), mmap.mmap(-1, 1)  # the number of loans as one byte

    def change_count(change: int) -> int:
        with lock.hold():
            counts[0] += change
            return counts[0]

    def lend_and_return() -> int:
        loans.claim_row()
        max_count = 0
        for _ in range(5_000):
            if loans.add("a"):
                max_count = max(max_count, change_count(1))
                change_count(-1)
                loans.remove("a")
        return max_count

    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            os._exit(lend_and_return())
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert 0 < max(codes) <= MAX_LOANS


def test_process_without_a_free_row_is_not_limited_by_its_own_loans() -> None:
    loans = make_loans()
    for _ in range(ROW_COUNT + 1):
        loans.claim_row()
    assert all(loans.add("a") for _ in range(MAX_LOANS + 1))
    loans.remove("a")
