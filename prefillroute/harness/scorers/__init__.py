"""Scorers: each turns a target's response into a verdict."""
