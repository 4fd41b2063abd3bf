"""Write: first words in, a song out, letter by letter."""
