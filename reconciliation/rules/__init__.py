"""Rules about breaks as data: drafted, run over history, and put in force by two people."""
