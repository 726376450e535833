"""Code that runs inside the sandbox, mounted there as the package `inside`: it may import the standard library only."""
