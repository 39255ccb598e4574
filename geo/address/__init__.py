"""Addresses: brought to one spelling, then read by the register's own names."""

from geo.address.book import AddressBook, Found, Possible
from geo.address.entry import Compound, Entry
from geo.address.faults import Fault, Kind
from geo.address.reading import Precision
from geo.address.spelling import normalise

__all__ = [
    "AddressBook",
    "Compound",
    "Entry",
    "Fault",
    "Found",
    "Kind",
    "Possible",
    "Precision",
    "normalise",
]
