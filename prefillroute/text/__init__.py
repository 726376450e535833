"""Shows users' text safely; prints, for the whole package; and builds the commands that messages suggest."""
