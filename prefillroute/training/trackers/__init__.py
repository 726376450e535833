"""What a run tells its logger, and what each kind of logger makes of it."""
