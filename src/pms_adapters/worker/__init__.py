"""The worker: relay, sweeper, schedules, reactions, and the processes they run in."""
