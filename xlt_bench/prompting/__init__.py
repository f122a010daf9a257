"""Asking language models: templates, demonstrations, words of classes, reading answers, local models and endpoints."""
