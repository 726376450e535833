"""The command line: one file per subcommand."""

from prefillroute import home, threads

# Here, since every module of this room, and with it every library with threads, is imported after this.
threads.settle()
home.settle()
