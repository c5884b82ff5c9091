"""Breaks are explained and closed: by rules within their caps, or by two people."""
