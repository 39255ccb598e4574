"""Balancing a district: cells, adjacency, target, today's grids and locks → assignment and report.

`balance` answers a `Problem` with a `Proposal`; `measure` gives the figures and faults of any assignment,
`explain` the reasons of one (`geo.balance.sentences` says them).
Callers know nothing else of the engine, so that it can be replaced.
"""

from geo.balance.board import keep_compiled
from geo.balance.engine import balance
from geo.balance.problem import Locks, Problem, containers
from geo.balance.profiles import EVEN, PROFILES, STABLE, WHOLE, Profile
from geo.balance.reasons import Explanation, explain
from geo.balance.report import ContainerRow, GridRow, Measures, Proposal, Report, measure
from geo.balance.solve import never

__all__ = [
    "EVEN",
    "PROFILES",
    "STABLE",
    "WHOLE",
    "ContainerRow",
    "Explanation",
    "GridRow",
    "Locks",
    "Measures",
    "Problem",
    "Profile",
    "Proposal",
    "Report",
    "balance",
    "containers",
    "explain",
    "keep_compiled",
    "measure",
    "never",
]
