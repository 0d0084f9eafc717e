"""Measures what sites are made of, beside the peers."""
