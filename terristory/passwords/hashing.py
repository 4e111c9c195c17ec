"""Argon2id, with a bound on how much of it runs at once (OWASP Password Storage; ASVS 5.0, 11.4.2 and 15.2.2)."""

import base64
import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from terristory.errors import DomainError, Kind
from terristory.passwords.normal_form import is_usable, normal_form

Result = TypeVar("Result")


class HashingBusy(DomainError):
    """As many hashes as allowed are running and waiting; `retry_after` is 1 to 3 seconds, so that clients spread."""

    code = "hashing_busy"
    kind = Kind.UNAVAILABLE


@dataclass(frozen=True)
class Verification:
    """The verdict on a password: is it right, and does its stored value deserve to be made again?"""

    right: bool
    needs_rehash: bool


# A crowd that is served within this time is no flood.
PATIENCE_SECONDS = 1.5


# How much less than other threads a hashing one asks of the processor (Unix nice).
NICENESS = 5


class _Gate:
    """Let `threads` hashes run at once and `waiters` queue behind them; turn the others away at the door.

    They run in threads of their own, which give way to all others where threads have priorities (Linux): in a flood of
    sign-ins everybody else's requests are answered first, and with nobody else there it costs nothing.

    `burst` more may queue as long as it has not been crowded for longer than PATIENCE_SECONDS: sixteen people at once
    are all served, a flood is not.
    """

    def __init__(self, threads: int, waiters: int, burst: int) -> None:
        self._threads = threads
        self._capacity = threads + waiters
        self._burst = burst
        self._calm_at = 0.0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hashing", initializer=_give_way)
        self._count = threading.Lock()
        self._callers = 0
        self._place = threading.local()

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Hold a place for all that the calling thread does inside; its hashes then need no other one."""
        with self._place_taken():
            self._place.held = True
            try:
                yield
            finally:
                self._place.held = False

    def run(self, work: Callable[[], Result]) -> Result:
        """Run a hash when its turn comes; at the door without a place of one's own."""
        if getattr(self._place, "held", False):
            return self._pool.submit(work).result()
        with self._place_taken():
            return self._pool.submit(work).result()

    @contextmanager
    def _place_taken(self) -> Iterator[None]:
        with self._count:
            if self._callers < self._threads:
                self._calm_at = monotonic()
            crowded = monotonic() - self._calm_at > PATIENCE_SECONDS
            if self._callers >= self._capacity + (0 if crowded else self._burst):
                raise HashingBusy(retry_after=1 + secrets.randbelow(3))
            self._callers += 1
        try:
            yield
        finally:
            with self._count:
                self._callers -= 1

    def queue_length(self) -> int:
        with self._count:
            return max(0, self._callers - self._threads)


def _give_way() -> None:
    if sys.platform == "linux":
        # There a "process" of this call is a thread.
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS))


def _value_of_no_password(hasher: PasswordHasher) -> str:
    """Make a value of the hasher's cost that no password has: its digest is random, so it costs nothing to make."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"


class _Hashing:
    """One set of parameters with its gate and its dummy value."""

    def __init__(self, memory_kib: int, time_cost: int, threads: int, waiters: int, burst: int = 0) -> None:
        self.asked = (memory_kib, time_cost, threads, waiters, burst)
        self.hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self.gate = _Gate(threads, waiters, burst)
        self.dummy = _value_of_no_password(self.hasher)


# OWASP's floor, so that a script which never configures anything is safe all the same.
_hashing = _Hashing(memory_kib=19456, time_cost=2, threads=os.cpu_count() or 1, waiters=4)


def configure_hashing(memory_kib: int, time_cost: int, threads: int, waiters: int = 4, burst: int = 0) -> None:
    """Choose the cost of hashing (KiB, passes) and its bound: `threads` hashes at once, `waiters` behind them.

    `burst` more may wait for a moment, as long as it is no flood. More threads than cores lose throughput: give each
    process its share of the cores. Calling it again with other values replaces the pool, and hashes under way end in
    the old one. Raises ValueError for values that Argon2 cannot run with; the floor of OWASP is the settings' to check.
    """
    global _hashing
    if memory_kib < 8 or time_cost < 1 or threads < 1 or waiters < 0 or burst < 0:
        raise ValueError("hashing needs 8 KiB, 1 pass and 1 thread at least, and no negative number of waiters")
    if (memory_kib, time_cost, threads, waiters, burst) != _hashing.asked:
        _hashing = _Hashing(memory_kib, time_cost, threads, waiters, burst)


def _begin_anew() -> None:
    global _hashing
    _hashing = _Hashing(*_hashing.asked)


# A process forked from one that has hashed holds none of its threads.
os.register_at_fork(after_in_child=_begin_anew)


@contextmanager
def room_to_hash() -> Iterator[None]:
    """Hold one of the places to hash for everything inside, or raise HashingBusy before anything has been done.

    A sign-in counts its try, hashes and settles: turned away in the middle it would have been counted for nothing,
    and those that wait for the database would hold the server's threads besides those that wait to hash.
    """
    with _hashing.gate.reserved():
        yield


def hash_password(password: str) -> str:
    """Return the Argon2id value to store (PHC string, p=1, random salt) of a password that the policy has accepted.

    Raises ValueError for what could never be verified (a control character, a lone surrogate, more than 128 code
    points or 1024 bytes) and HashingBusy when the bound is reached. Call it before a transaction, not within one.
    """
    if not is_usable(password):
        raise ValueError("no password: it holds a control character or a lone surrogate, or it is too long")
    hashing = _hashing
    return hashing.gate.run(partial(hashing.hasher.hash, normal_form(password)))


def verify_password(stored: str | None, password: str) -> Verification:
    """Compare a password with a stored value; None (no such account, or no password yet) is a wrong password.

    Exactly one Argon2 verification runs whatever the arguments, so that the time tells nothing (OWASP Authentication):
    against a dummy value of the current parameters where there is nothing to compare. A stored value that is corrupt
    is a wrong password too. `needs_rehash` is only true of a right password whose value was made with other
    parameters than the current ones. Raises HashingBusy when the bound is reached. Call it outside a transaction.
    """
    hashing = _hashing
    comparable = stored is not None and stored.isascii() and is_usable(password)
    value = stored if stored is not None and comparable else hashing.dummy
    typed = normal_form(password) if comparable else ""
    right = hashing.gate.run(partial(_matches, hashing.hasher, value, typed))
    return Verification(right, needs_rehash=right and hashing.hasher.check_needs_rehash(value))


def hashing_queue_length() -> int:
    """Return how many callers are waiting for their turn in this process."""
    return _hashing.gate.queue_length()


def _matches(hasher: PasswordHasher, value: str, password: str) -> bool:
    try:
        return hasher.verify(value, password)
    except (VerificationError, InvalidHashError):
        return False
