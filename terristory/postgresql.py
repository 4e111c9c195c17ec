"""A connection to PostgreSQL that gives up on a server which says nothing: psycopg by itself waits for ever."""

from typing import TypeVar

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

Answer = TypeVar("Answer")

# A statement is ended by the server after STATEMENT_SECONDS; a frozen server ends nothing, so the client does.
STATEMENT_SECONDS = 9.0
PATIENCE_SECONDS = 9.5
# An idle connection answers in a millisecond, or is not worth waiting for.
SIGN_OF_LIFE_SECONDS = 2.0


class PatientConnection(Connection[TupleRow]):
    """A connection whose answers must come within `patience` seconds (None: whenever they come)."""

    patience: float | None = PATIENCE_SECONDS

    def wait(self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:
        """Wait for the server; raises OperationalError, with the connection closed, when patience is over."""
        if timeout is not None or self.patience is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except OperationalError:
            if not self._is_amid_a_statement():
                raise
            # What the server may say later answers a question that nobody asks any more.
            self.close()
            raise OperationalError("the server did not answer in time") from None

    def gives_a_sign_of_life(self) -> bool:
        """Return whether the server answers at once."""
        usual, self.patience = self.patience, SIGN_OF_LIFE_SECONDS
        try:
            self.execute("SELECT 1")
        except OperationalError:
            return False
        finally:
            self.patience = usual
        return True

    def _is_amid_a_statement(self) -> bool:
        return not self.closed and self.info.transaction_status.name == "ACTIVE"
