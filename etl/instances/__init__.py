"""Balancing instances as plain files: a folder that anybody's balancer reads, and the plan that comes of it.

A folder holds ``units.parquet``, ``edges.parquet`` and ``meta.json``; docs/balance.md lists their columns. What is
malformed is refused with the file, the column, the first rows and their number named. Geometry is not looked at.
"""

from etl.instances.reading import Instance, pose, read
from etl.instances.writing import check_target, write

__all__ = ["Instance", "check_target", "pose", "read", "write"]
