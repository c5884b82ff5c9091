"""A payment on one page, across the apps, and how it is found."""
