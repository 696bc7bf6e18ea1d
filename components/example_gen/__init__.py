"""ExampleGen: interaction files -> one Example per user and split."""
