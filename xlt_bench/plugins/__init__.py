"""Plug-ins: found by entry point or file, their hyper-parameters, and their import under a watch."""
