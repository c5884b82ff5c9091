"""What people see of files and statements, a page at a time."""
