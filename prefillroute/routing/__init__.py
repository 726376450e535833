"""Routing turns a confidence table and costs into chosen targets, the exact lambda frontier and the evaluation."""
