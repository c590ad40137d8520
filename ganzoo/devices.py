"""Which devices train, and what "auto" means on them.

Nothing here may run before the flags are parsed.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import tensorflow as tf

from ganzoo.backends import require_tensorflow
from ganzoo.errors import UserError, first_line

_TRAINERS = ("chief", "worker")


def strategy(devices: str | None = None, tpu: str | None = None) -> tf.distribute.Strategy:
    """The distribution strategy for what the user asked for.

    From here on float32 means float32: NVIDIA's GPUs do not round factors to TF32's 10 bits.

    Args:
        devices: "cpu", "gpu", or with a count, as in "cpu:2", which splits the CPU into two
            logical devices; None takes all GPUs, or the CPU.
        tpu: name or address of a TPU; "local" for the one of this machine.

    Raises:
        UserError: when such devices are not there, or Keras runs on another backend.
    """
    require_tensorflow("this command")
    if tpu:
        return _tpu_strategy(tpu)
    cluster = _cluster()
    kind, count = _parse(devices)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if kind == "CPU":
        tf.config.set_visible_devices([], "GPU")
    if kind == "CPU" and count > 1:
        logical = [tf.config.LogicalDeviceConfiguration()] * count
        physical = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(physical, logical)
    if kind == "GPU":
        tf.config.experimental.enable_op_determinism()  # on CPUs the order of sums is fixed anyway
    if cluster is not None:
        return tf.distribute.MultiWorkerMirroredStrategy(cluster)
    if count > 1:
        return tf.distribute.MirroredStrategy([f"{kind}:{index}" for index in range(count)])
    return tf.distribute.get_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run directory; of several workers, the first does."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    return resolver.task_type == "chief" or (
        resolver.task_id == 0 and "chief" not in resolver.cluster_spec().jobs
    )


def any_worker(strategy: tf.distribute.Strategy) -> Callable[[bool], bool]:
    """From whether a flag is set in this process to whether it is in that of any worker.

    All workers have to ask at the same step.
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return bool

    @tf.function(autograph=False)
    def total(flag):
        return strategy.reduce("sum", strategy.run(tf.identity, (flag,)), axis=None)

    return lambda flag: float(total(tf.constant(float(flag)))) > 0.0


@contextlib.contextmanager
def explain_lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns what the end of another worker raises in this one into a UserError."""
    try:
        yield
    except (tf.errors.AbortedError, tf.errors.UnavailableError) as error:
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        raise UserError(
            "Another worker has ended, or cannot be reached. Start all of them again, by the same"
            " commands: training resumes from the last checkpoint."
        ) from error


def resolve_precision(precision: str) -> str:
    """The Keras dtype policy: "auto" is bfloat16 where the hardware multiplies it, else float32;
    under other backends than TensorFlow float32."""
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if _multiplies_bfloat16() else "float32"


def resolve_jit(jit: str) -> bool:
    """Whether XLA compiles: "auto" is on GPUs and TPUs; on CPUs oneDNN's graph mode is faster."""
    if jit == "auto":
        return any(tf.config.list_logical_devices(kind) for kind in ("GPU", "TPU"))
    return jit == "on"


@contextlib.contextmanager
def full_float32():
    """Within it, also as a decorator, NVIDIA's GPUs do not round factors to TF32's 10 bits."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def run_on_replicas(strategy: tf.distribute.Strategy | None, function: Callable) -> Callable:
    """A compiled function of a batch, which the replicas of this process compute in parts.

    Args:
        strategy: whose replicas share the batch; None for the current device alone.
        function: from tensors `[n, ...]` to a tuple of tensors of as many rows each, or None in
            their places.

    Returns:
        the same function of tensors `[n * replicas, ...]`.
    """
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return tf.function(function, autograph=False)
    replicas = strategy.num_replicas_in_sync
    run = tf.function(lambda *parts: strategy.run(function, parts), autograph=False)

    def shared_out(value):
        parts = tf.split(value, replicas)
        return strategy.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group]
        )

    def joined(value):
        return tf.concat(strategy.experimental_local_results(value), axis=0)

    def parted(*batch):
        results = run(*map(shared_out, batch))
        return tuple(None if value is None else joined(value) for value in results)

    return parted


def _multiplies_bfloat16() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    if tf.config.list_logical_devices("TPU"):
        return True
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _cluster() -> tf.distribute.cluster_resolver.ClusterResolver | None:
    """The machines that TF_CONFIG names, and which of them this is; None where it names none."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        found = json.loads(text)
        jobs = {_role(name): hosts for name, hosts in (found.get("cluster") or {}).items()}
        if not jobs:
            return None
        spec = tf.train.ClusterSpec({name: jobs[name] for name in _TRAINERS if jobs.get(name)})
        task = found.get("task") or {}
        role, index = _role(task.get("type")), int(task.get("index", -1))
    except (ValueError, TypeError, AttributeError) as error:
        raise _bad_cluster(text, "expected JSON") from error
    if role in ("evaluator", "ps"):
        raise UserError(
            f"TF_CONFIG makes this machine the {role!r}, which has nothing to do: all others train"
            " in the same way, and measure while training if config.evaluate_images is set. Start"
            " only those."
        )
    if role not in spec.jobs or index not in spec.task_indices(role):
        raise _bad_cluster(text, "its task has to be one of the machines in its cluster")
    if len(jobs.get("chief", [])) > 1:
        raise _bad_cluster(text, "there is at most one chief")
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        spec, task_type=role, task_id=index, rpc_layer="grpc"
    )


def _role(name: str) -> str:
    """What TensorFlow 2 calls a job; the chief was the master, and is for some services."""
    return "chief" if name == "master" else name


def _bad_cluster(text: str, reason: str) -> UserError:
    return UserError(
        f"TF_CONFIG is {text!r}: {reason}, as in "
        '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]},'
        ' "task": {"type": "worker", "index": 0}}'
        ". To train on this machine alone, unset it."
    )


def _parse(devices: str | None) -> tuple[str, int]:
    """The kind and number of the devices; checks that they exist."""
    gpus = len(tf.config.list_physical_devices("GPU"))
    if devices is None:
        return ("GPU", gpus) if gpus else ("CPU", 1)
    kind, _, count = devices.lower().partition(":")
    if kind not in ("cpu", "gpu") or not (count or "1").isdigit() or count == "0":
        raise UserError(f"--devices={devices}: expected cpu, gpu, cpu:COUNT or gpu:COUNT")
    if kind == "gpu" and int(count or 1) > gpus:
        raise UserError(
            f"--devices={devices}: TensorFlow sees {gpus} GPUs here. Use fewer, or --devices=cpu; "
            "for NVIDIA's libraries: pip install '.[cuda]'"
        )
    return kind.upper(), int(count or (gpus if kind == "gpu" else 1))


def _tpu_strategy(name: str) -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=name)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
        raise UserError(
            f"--tpu={name}: no such TPU can be reached ({first_line(error)}). Give its name, its"
            " grpc:// address, or --tpu=local on the TPU's own machine."
        ) from error
    return tf.distribute.TPUStrategy(resolver)
