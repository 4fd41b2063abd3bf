"""Songs as data."""
