"""The launcher: what starts, checks and tests the project on one machine.

Everything here runs before the virtual environment exists, so it imports the standard library alone.
"""
