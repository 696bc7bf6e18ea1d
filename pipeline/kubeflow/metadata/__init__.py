"""ML Metadata over gRPC."""
