"""Jobs: work that runs apart from the request that asked for it, in a worker or in the command at hand.

The queue is the table ``jobs`` itself, told by NOTIFY and carried out in lanes (`data.lanes`). A queue library
was weighed (procrastinate): it keeps a table of its own beside ours, so that two states would have to agree
after a crash; it is blind to tenants; it finds a dead worker by heartbeats, half a minute late, and may take a
slow one for dead and run its job twice; and its 600 lines of SQL change with its versions. A lock that
PostgreSQL itself frees has none of these faults, and a command in the foreground can take it as well.

What is done at most once: the use case commits its effect and its audit row, which names the job, in one
transaction; whoever finds a job cut off looks for that row before doing it again.
"""

from etl.jobs.asking import cancel, retry, submit
from etl.jobs.kinds import Kind, Work
from etl.jobs.running import run_here, run_next

__all__ = ["Kind", "Work", "cancel", "retry", "run_here", "run_next", "submit"]
