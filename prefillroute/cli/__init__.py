"""The command line: one file per subcommand."""

from prefillroute import threads

# Here, since every module of this room, and with it every library with threads, is imported after this.
threads.settle()
