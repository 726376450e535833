"""One run, composed by Hydra: from outcomes to metrics, report and bundle."""

from prefillroute import home, threads

# Here, since every module of this room, and with it every library with threads, is imported after this.
threads.settle()
home.settle()
