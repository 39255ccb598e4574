"""Addresses: brought to one spelling, then looked up in the register's own names."""

from geo.address.book import AddressBook, Compound, Entry, Found
from geo.address.spelling import Reading, normalise, readings

__all__ = ["AddressBook", "Compound", "Entry", "Found", "Reading", "normalise", "readings"]
