"""Processes of tests: on the CPU, with two devices, and quick for graphs that run once or twice."""

import ctypes
import gc
import os
import sys

# Whether TensorFlow can still be configured; a notebook that tests a model of its own has used
# it, and keeps its settings.
FRESH = "tensorflow" not in sys.modules

if FRESH:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    # Freed memory is used again, not kept for each thread.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    flags = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
    os.environ.setdefault("XLA_FLAGS", flags)


def configure(threads: int | None = None) -> None:
    """Settles how TensorFlow runs in a process of tests: on two logical CPUs, for replicas.

    Graphs run once or twice here: to optimize them takes longer than to run them. Child processes
    (kills, notebooks, commands), where XLA is off, optimize theirs as usual.

    Args:
        threads: of an operation; None for as many as there are cores.
    """
    import tensorflow as tf

    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    two_cpus()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    _share_kernels_of_variables()
    _forget_where_operations_are_made()


def two_cpus() -> None:
    """Makes the processor two devices for TensorFlow, which was not used yet."""
    import tensorflow as tf

    (cpu, *_) = tf.config.list_physical_devices("CPU")
    if tf.config.get_logical_device_configuration(cpu) is None:
        parts = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, parts)


def _share_kernels_of_variables() -> None:
    """TensorFlow makes a kernel for each name of a variable, which takes ten times as long as to
    find one that is there; without names, variables of a shape share one."""
    import tensorflow as tf
    from tensorflow.python.ops import gen_resource_variable_ops as ops

    create = ops.var_handle_op

    def nameless(dtype, shape, **options):
        if tf.executing_eagerly():
            options["debug_name"] = ""
        return create(dtype=dtype, shape=shape, **options)

    ops.var_handle_op = nameless


def _forget_where_operations_are_made() -> None:
    """TensorFlow keeps with each operation of a graph the calls that led to it, here a hundred, in
    more memory than the rest of the graph takes."""
    from tensorflow.python.framework import ops

    create = ops._create_c_op

    def traceless(*arguments, **options):
        return create(*arguments, **options | {"extract_traceback": False})

    ops._create_c_op = traceless


def free() -> None:
    """Collects what is garbage, and gives the system what is free between what is not."""
    _forget_gradients()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def _forget_gradients() -> None:
    """TensorFlow registers the gradient of each call of a `tf.custom_gradient` in a graph for good,
    and with it holds that graph."""
    from tensorflow.python.framework import ops

    registered = ops.gradient_registry._registry
    for name in [name for name in registered if name.startswith("CustomGradient-")]:
        del registered[name]
