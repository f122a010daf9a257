"""Methods with one thing wrong each, by what is wrong, and the sound ones that they are made from."""
