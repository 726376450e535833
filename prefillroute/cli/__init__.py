"""The command line: one file per subcommand."""

from prefillroute import home, threads

# This comes first because every module of this room, and with it every library with threads, is imported after it.
threads.settle()
home.settle()
