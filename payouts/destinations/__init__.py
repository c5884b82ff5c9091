"""Where sellers want their money: accounts, who found them to be theirs, what stops money from leaving."""
