"""`make demo-day`: a day of a marketplace at speed, through the real API, that ends with a proof.

It has a world of its own in `var/demo-day`, which is wiped at every start. Stores call the API, buyers pay at
the sandbox, people decide at the console, and days pass by the two clocks. What is planned is drawn from the
seed alone, so the same seed ends with the same totals, whatever comes first on the way.
"""
