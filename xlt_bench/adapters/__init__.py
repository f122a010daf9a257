"""Adapters: PEFT folders of others are read and scored, our own trained prompts are written as such folders."""
