"""How jobs and sweeps stand: their status, folders and plans, as files that every command can read."""
