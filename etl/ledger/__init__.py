"""Ledger import: spreadsheets and layers of a district, checked whole and loaded whole."""
