"""About: figures, lessons, glossary, for programmers."""
