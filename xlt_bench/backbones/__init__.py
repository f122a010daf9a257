"""Backbones that ship with the harness: nano, a small multilingual encoder, and the script that pre-trained it."""
