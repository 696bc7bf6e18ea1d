"""What `--data` is: files, spans, and who is left out."""
