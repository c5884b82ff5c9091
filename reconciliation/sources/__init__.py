"""Where settlement files come from, when they are due, and what is done when they are not there."""
