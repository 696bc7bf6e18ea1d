"""RefitValidator: checks a refitted model, for which no held-out items are left."""
