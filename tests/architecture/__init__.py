"""The rules that hold the tree, as tests. They read files only: no database, no network, no Django models."""
