"""Reconciliation in the console: sources, files and bank statements; a module for each of them."""

from reconciliation import admin_files, admin_sources, admin_statements

__all__ = ["admin_files", "admin_sources", "admin_statements"]
