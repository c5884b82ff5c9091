"""The provider's reports: what moved the balance, as CSV files made by report runs."""
