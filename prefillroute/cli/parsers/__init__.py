"""The arguments of each command, declared without importing what does its work."""
