"""When payouts happen: a merchant's working days, and the runs that pay its sellers without being asked."""
