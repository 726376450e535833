"""From a confidence table and costs to a chosen target, the exact lambda frontier and the evaluation."""
