"""How passwords are hashed, compared and bounded."""

import multiprocessing
import os
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep

import pytest
from argon2 import PasswordHasher, extract_parameters

from terristory.errors import Kind
from terristory.passwords import hashing
from terristory.passwords.hashing import (
    HashingBusy,
    Verification,
    configure_hashing,
    hash_password,
    hashing_queue_length,
    room_to_hash,
    verify_password,
)

RIGHT = Verification(right=True, needs_rehash=False)
WRONG = Verification(right=False, needs_rehash=False)
PASSWORD = "tracteur lavande pluvier donjon"


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_hashing", hashing._hashing)
    configure_hashing(memory_kib=64, time_cost=1, threads=2)


@pytest.fixture
def verified_values(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stored values that Argon2 was really asked to verify, in order."""
    values: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, value: str, password: str) -> bool:
        values.append(value)
        return verify(self, value, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    return values


def test_unconfigured_hashing_is_at_the_floor_of_owasp() -> None:
    # In a process of its own: other tests of this one have made hashing cheap.
    program = "from terristory.passwords.hashing import hash_password; print(hash_password('pluvier donjon'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_value_carries_the_configured_parameters_and_a_salt_of_its_own() -> None:
    configure_hashing(memory_kib=128, time_cost=3, threads=1)
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first.startswith("$argon2id$v=19$m=128,t=3,p=1$")
    assert first != second
    assert PASSWORD not in first


@pytest.mark.parametrize(
    "parameters",
    [(7, 1, 1, 4), (64, 0, 1, 4), (64, 1, 0, 4), (64, 1, 1, -1)],
)
def test_parameters_that_argon2_cannot_run_with_are_refused(parameters: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        configure_hashing(*parameters)


def test_the_right_password_is_right() -> None:
    assert verify_password(hash_password(PASSWORD), PASSWORD) == RIGHT


@pytest.mark.parametrize(
    "typed",
    ["", PASSWORD[:-1], PASSWORD + " ", " " + PASSWORD, PASSWORD.upper(), PASSWORD + "\0", PASSWORD + "\ud800"],
)
def test_anything_but_the_exact_password_is_wrong(typed: str) -> None:
    assert verify_password(hash_password(PASSWORD), typed) == WRONG


def test_no_character_of_a_long_password_is_cut_off() -> None:
    stored = hash_password("a" * 127 + "b")
    assert verify_password(stored, "a" * 127 + "b") == RIGHT
    assert [verify_password(stored, typed) for typed in ("a" * 72, "a" * 127, "a" * 128)] == [WRONG] * 3


@pytest.mark.parametrize("text", ["été à Noël", "Nguyễn Đình Chiểu", "각각각"])
def test_composed_and_decomposed_letters_are_the_same(text: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert composed != decomposed
    assert verify_password(hash_password(composed), decomposed) == RIGHT
    assert verify_password(hash_password(decomposed), composed) == RIGHT


@pytest.mark.parametrize("password", ["a\0b", "a\ud800", "a\nb", "\x7f", "a" * 129, "👍" * 257, "e\u0301" * 129])
def test_what_could_never_be_verified_is_not_hashed(password: str) -> None:
    with pytest.raises(ValueError, match="no password"):
        hash_password(password)


@pytest.mark.parametrize("typed", ["\0", "\ud800", "a" * 16_000, "\u0301\u0323" * 8_000])
def test_hostile_text_is_a_wrong_password_at_the_price_of_any_other(typed: str, verified_values: list[str]) -> None:
    stored = hash_password(PASSWORD)
    assert verify_password(stored, typed) == WRONG
    assert len(verified_values) == 1


CORRUPT = [
    "",
    "x",
    "é",
    "$2b$12$abcdefghijklmnopqrstuv",
    "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA",
    "$argon2id$v=19$m=64,t=1,p=1$!!$??",
    "$argon2id$v=19$m=x,t=1,p=1$c29tZXNhbHQ$AAAA",
    "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$AAAAAAAAAAAAAAAAAAAAAA",
]


@pytest.mark.parametrize("stored", CORRUPT)
def test_a_corrupt_value_is_a_wrong_password(stored: str) -> None:
    assert verify_password(stored, PASSWORD) == WRONG
    assert verify_password(stored, "") == WRONG


@pytest.mark.parametrize("password", [PASSWORD, "", "\0"])
def test_without_a_stored_value_every_password_is_wrong(password: str) -> None:
    assert verify_password(None, password) == WRONG


@pytest.mark.parametrize("stored", ["the right value", "another value", None])
def test_each_path_runs_exactly_one_verification_of_the_same_cost(
    stored: str | None, verified_values: list[str]
) -> None:
    configure_hashing(memory_kib=96, time_cost=2, threads=1)
    values = {"the right value": hash_password(PASSWORD), "another value": hash_password("something else"), None: None}
    real = extract_parameters(hash_password(PASSWORD))

    verify_password(values[stored], PASSWORD)

    assert [extract_parameters(value) for value in verified_values] == [real]


def test_the_dummy_follows_a_rise_of_the_parameters(verified_values: list[str]) -> None:
    verify_password(None, PASSWORD)
    configure_hashing(memory_kib=256, time_cost=4, threads=1)
    verify_password(None, PASSWORD)
    costs = [(extract_parameters(value).memory_cost, extract_parameters(value).time_cost) for value in verified_values]
    assert costs == [(64, 1), (256, 4)]


def test_a_right_password_of_older_parameters_deserves_a_new_value() -> None:
    stored = hash_password(PASSWORD)
    configure_hashing(memory_kib=128, time_cost=2, threads=2)
    assert verify_password(stored, PASSWORD) == Verification(right=True, needs_rehash=True)
    assert verify_password(stored, "wrong") == WRONG
    assert verify_password(hash_password(PASSWORD), PASSWORD) == RIGHT


class SlowArgon2:
    """Stands in for the hashing itself: waits to be released and counts how many run together."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.lock = threading.Lock()
        self.running = self.most = self.done = 0

    def __call__(self, *_: object) -> str:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.release.wait(10)
        with self.lock:
            self.running -= 1
            self.done += 1
        return "$hash"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowArgon2]:
    argon2 = SlowArgon2()
    monkeypatch.setattr(PasswordHasher, "hash", lambda self, password: argon2(password))
    yield argon2
    argon2.release.set()


def eventually(holds: Callable[[], bool]) -> bool:
    end = monotonic() + 5
    while not holds() and monotonic() < end:
        sleep(0.002)
    return holds()


def test_no_more_hashes_run_at_once_than_allowed_and_the_excess_is_turned_away(slow: SlowArgon2) -> None:
    configure_hashing(memory_kib=64, time_cost=1, threads=2, waiters=3)
    with ThreadPoolExecutor(20) as callers:
        attempts: list[Future[str]] = [callers.submit(hash_password, PASSWORD) for _ in range(20)]
        turned_away = lambda: sum(attempt.done() for attempt in attempts)  # noqa: E731
        assert eventually(lambda: turned_away() == 15 and slow.running == 2)
        assert hashing_queue_length() == 3
        slow.release.set()
    errors = [attempt.exception() for attempt in attempts]
    assert errors.count(None) == slow.done == 5
    assert slow.most == 2
    assert all(isinstance(error, HashingBusy) for error in errors if error is not None)
    assert hashing_queue_length() == 0


def test_a_place_is_free_again_after_each_call_even_a_failed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    configure_hashing(memory_kib=64, time_cost=1, threads=1, waiters=0)

    def failing(*_: object) -> str:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(PasswordHasher, "hash", failing)
        for _ in range(3):
            with pytest.raises(MemoryError):
                hash_password(PASSWORD)
    assert [verify_password(hash_password(PASSWORD), PASSWORD) for _ in range(3)] == [RIGHT] * 3


def test_being_busy_is_a_situation_that_passes_by_itself(slow: SlowArgon2) -> None:
    configure_hashing(memory_kib=64, time_cost=1, threads=1, waiters=0)
    with ThreadPoolExecutor(1) as callers:
        callers.submit(hash_password, PASSWORD)
        assert eventually(lambda: slow.running == 1)
        waits = set()
        for _ in range(200):
            with pytest.raises(HashingBusy) as busy:
                verify_password(None, PASSWORD)
            waits.add(busy.value.retry_after)
        slow.release.set()
    assert (busy.value.code, busy.value.kind) == ("hashing_busy", Kind.UNAVAILABLE)
    assert waits == {1, 2, 3}


def test_a_new_configuration_leaves_the_hashes_under_way_alone(slow: SlowArgon2) -> None:
    configure_hashing(memory_kib=64, time_cost=1, threads=1, waiters=0)
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(hash_password, PASSWORD)
        assert eventually(lambda: slow.running == 1)
        configure_hashing(memory_kib=64, time_cost=1, threads=1, waiters=1)
        second = callers.submit(hash_password, PASSWORD)
        assert eventually(lambda: slow.running == 2)
        slow.release.set()
    assert (first.result(), second.result()) == ("$hash", "$hash")


def test_the_same_configuration_again_keeps_the_pool(slow: SlowArgon2) -> None:
    configure_hashing(memory_kib=64, time_cost=1, threads=1, waiters=0)
    with ThreadPoolExecutor(1) as callers:
        callers.submit(hash_password, PASSWORD)
        assert eventually(lambda: slow.running == 1)
        configure_hashing(memory_kib=64, time_cost=1, threads=1, waiters=0)
        with pytest.raises(HashingBusy):
            hash_password(PASSWORD)
        slow.release.set()


def test_a_crowd_of_a_moment_is_served_and_a_flood_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(hashing, "monotonic", lambda: now[0])
    gate = hashing._Gate(threads=1, waiters=1, burst=1)
    with gate.reserved(), gate._place_taken(), gate._place_taken():
        assert gate.queue_length() == 2
        with pytest.raises(HashingBusy), gate._place_taken():
            pass
    now[0] = 200.0
    with gate.reserved(), gate._place_taken():
        now[0] += hashing.PATIENCE_SECONDS + 0.1
        with pytest.raises(HashingBusy), gate._place_taken():
            pass
    with gate.reserved(), gate._place_taken(), gate._place_taken():
        assert gate.queue_length() == 2


def test_a_place_held_serves_every_hash_of_its_thread() -> None:
    configure_hashing(memory_kib=64, time_cost=1, threads=1, waiters=0)
    with room_to_hash():
        stored = hash_password(PASSWORD)
        assert verify_password(stored, PASSWORD).right
    assert hashing_queue_length() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own here")
def test_a_hashing_thread_gives_way_to_the_others() -> None:
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    theirs = hashing._hashing.gate.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert theirs == min(19, ours + hashing.NICENESS) > ours


def test_a_process_forked_from_one_that_has_hashed_hashes_too() -> None:
    value = hash_password(PASSWORD)
    child = multiprocessing.get_context("fork").Process(target=_exit_if_right, args=(value,))
    child.start()
    child.join(10)
    if child.is_alive():
        child.kill()
    assert child.exitcode == 0


def _exit_if_right(value: str) -> None:
    os._exit(0 if verify_password(value, PASSWORD).right else 1)
