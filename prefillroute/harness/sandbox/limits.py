"""Limits on what an untrusted program may use."""

from dataclasses import dataclass, fields

from prefillroute.errors import UserError


@dataclass(frozen=True)
class Limits:
    """Limits of one run (one test of a program). LiveCodeBench's own judge allows 6 s of wall clock.

    Raises:
        UserError: a limit is too low for any program.
    """

    cpu_seconds: int = 6
    """CPU seconds of each process. CPU time is used so that a busy machine does not fail a right program."""
    wall_seconds: float = 15.0
    """Wall-clock seconds, which end a program that sleeps or waits."""
    memory_mb: int = 2048
    """MB (10^6 bytes) of address space of each process, and of resident memory of all processes together."""
    disk_mb: int = 64
    """MB of the private /tmp, which all tests of a program share, and of each file."""
    output_mb: int = 16
    """MB of standard output, and of the value that a function returns."""
    processes: int = 16
    """Processes and threads at once, including the driver."""

    def __post_init__(self) -> None:
        """Refuse a limit under which nothing could run."""
        for field in fields(self):
            value = getattr(self, field.name)
            least = 2 if field.name == "processes" else 1 if field.type is int else 0.1
            if not value >= least:
                raise UserError(f"sandbox limit {field.name}: expected at least {least}, found {value}")
