"""The declared tables: what the migrations build and the queries name."""

from data.tables.audit import AnsweredRequest, Audit
from data.tables.base import Base
from data.tables.cells import Cell, CellBorder, CellSet
from data.tables.plans import (
    Grid,
    GridExternalCode,
    Plan,
    PlanCell,
    PlanComment,
    PlanGrid,
    PlanLock,
    PlanMove,
    PlanProblem,
)
from data.tables.register import Barrier, Building, Community, Compound, District, Import, Street, Town
from data.tables.service import (
    Case,
    CaseContact,
    CaseEvent,
    Department,
    Duty,
    Facility,
    RiderCommunity,
    RiderPoint,
    Site,
    Worker,
)
from data.tables.versions import DataVersion

__all__ = [
    "AnsweredRequest",
    "Audit",
    "Barrier",
    "Base",
    "Building",
    "Case",
    "CaseContact",
    "CaseEvent",
    "Cell",
    "CellBorder",
    "CellSet",
    "Community",
    "Compound",
    "DataVersion",
    "Department",
    "District",
    "Duty",
    "Facility",
    "Grid",
    "GridExternalCode",
    "Import",
    "Plan",
    "PlanCell",
    "PlanComment",
    "PlanGrid",
    "PlanLock",
    "PlanMove",
    "PlanProblem",
    "RiderCommunity",
    "RiderPoint",
    "Site",
    "Street",
    "Town",
    "Worker",
]
