"""The SavedModel: signatures, golden request, warm-up requests."""
