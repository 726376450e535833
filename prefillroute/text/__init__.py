"""Text of users as text: what is shown of it, the one place that prints, and the commands that messages name."""
