"""A payment told to people: why it failed, its parts, and by which names it is found."""
