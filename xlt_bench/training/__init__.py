"""The toolkit a method may use: frozen backbone, batches, trainer, optimiser and schedule, the soft-prompt base."""
