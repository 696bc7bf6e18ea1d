"""Environment variables that TensorFlow reads when it is imported."""

# oneDNN kernels. TensorFlow enables them only on CPUs with AVX-512; on others, too, matrix products and exponentials
# take about a third less time with them.
TENSORFLOW_ENVIRONMENT = {"TF_ENABLE_ONEDNN_OPTS": "1"}
