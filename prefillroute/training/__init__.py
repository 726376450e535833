"""One run, composed by Hydra, from outcomes to metrics, report and bundle."""

from prefillroute import home, threads

# This comes first because every module of this room, and with it every library with threads, is imported after it.
threads.settle()
home.settle()
