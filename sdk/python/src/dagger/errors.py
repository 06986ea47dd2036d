"""What can go wrong between a program and the engine."""

from __future__ import annotations

from typing import Any, Optional


class DaggerError(Exception):
    """Base of every error of this package."""


class ProvisionError(DaggerError):
    """No engine could be started."""


class DownloadError(ProvisionError):
    """An engine could not be downloaded; never raised, as nothing is downloaded."""


class VersionMismatch(DaggerError):
    """The engine is too old or too new; never raised, as the engine adapts to the program."""


class SessionError(ProvisionError):
    """The engine ended or broke its side of the agreement."""


class ClientError(DaggerError):
    """A request could not be made or answered."""


class ClientConnectionError(ClientError):
    """There is no connection to an engine."""


class TransportError(ClientError):
    """A request or its answer was lost on the way."""


class ExecuteTimeoutError(TransportError):
    """The answer took longer than the configured time."""


class InvalidQueryError(ClientError):
    """A value cannot be sent to the engine."""


class FunctionError(DaggerError):
    """A module is declared or called in a way that cannot work."""


class QueryError(ClientError):
    """The engine refused a request or failed to carry it out.

    ``errors`` has every error of the answer as the engine sent it, ``query`` what was asked.
    """

    def __init__(self, errors: list[dict[str, Any]], query: str = "") -> None:
        self.errors = errors
        self.query = query
        super().__init__(errors[0].get("message", "unknown error") if errors else "unknown error")

    @property
    def message(self) -> str:
        """Text of the first error."""
        return str(self.args[0])

    @property
    def extensions(self) -> dict[str, Any]:
        """Values the engine attached to the first error."""
        return (self.errors[0].get("extensions") or {}) if self.errors else {}

    def debug_query(self) -> str:
        """Return what was asked."""
        return self.query


class ExecError(QueryError):
    """A command in a container failed."""

    @property
    def command(self) -> list[str]:
        """The command."""
        return self.extensions.get("cmd") or []

    @property
    def exit_code(self) -> int:
        """Its exit code."""
        return self.extensions.get("exitCode", -1)

    @property
    def stdout(self) -> str:
        """What it wrote to standard output."""
        return self.extensions.get("stdout") or ""

    @property
    def stderr(self) -> str:
        """What it wrote to standard error."""
        return self.extensions.get("stderr") or ""

    def __str__(self) -> str:
        parts = [self.message]
        if self.stdout:
            parts.append(f"Stdout:\n{self.stdout}")
        if self.stderr:
            parts.append(f"Stderr:\n{self.stderr}")
        return "\n".join(parts)


def query_error(errors: list[dict[str, Any]], query: str) -> QueryError:
    """Make the error that fits what the engine said."""
    extensions: Optional[dict[str, Any]] = errors[0].get("extensions") if errors else None
    if extensions and extensions.get("_type") == "EXEC_ERROR":
        return ExecError(errors, query)
    return QueryError(errors, query)
