"""What makes logits of readings: a signal with a head, or an average of several such pairs."""
