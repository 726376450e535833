"""A sandbox for untrusted programs: a model's answers to programming tasks.

Inspect AI has two sandboxes of its own: `docker`, which needs a daemon that laptops, clusters and CI machines often
lack, and `local`, which runs the program as the user, with network, home folder and API keys. This one needs neither a
daemon nor a package: util-linux (`unshare`, `mount`, `setpriv`) is part of every Linux distribution. bubblewrap does
the same for an unprivileged user, but for root it keeps the host's uid 0, to which no process limit applies, so a fork
bomb would need a second mechanism.

- ``limits``: how much of the machine a program may use.
- ``isolation``: the namespaces, and the only files that a program sees.
- ``inside.driver``: process 1 of the sandbox, which runs one test at a time.
- ``box``: the handle on the outside.
- ``check``: proves that all this is in force on this machine, before anything is paid for.

A program has no network (its network namespace is empty), no host files except /usr, the interpreter and the named
packages (read-only), a small private /tmp, only the few environment variables that it needs, no capabilities, no setuid
and no way to a new user namespace. It has its own process, IPC and mount namespaces, and limits on processes, memory,
CPU, wall clock and output. Killing process 1 kills every process of the sandbox. System calls are not filtered, so a
hole in the kernel is a hole in the sandbox.
"""
