"""Backbones: where they lie and what identifies them, the frozen encoder with its batches, and nano, which ships."""
