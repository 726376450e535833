"""From confidences and costs to one target per query; one policy per file."""
