"""What a job raises that was told to stop and will be started again."""


class Preempted(SystemExit):
    """The scheduler takes the machine back; the job goes on later from what it has written."""
