"""What every HTTP endpoint shares: strict input, one error envelope, exactly-once POST, lists."""
