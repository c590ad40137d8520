"""Operations: of floating-point numbers, counted in a graph; of TensorFlow, timed by its trace."""

import functools
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

PRODUCTS = {"MatMul": "transpose_a"} | dict.fromkeys(("BatchMatMulV2", "BatchMatMulV3"), "adj_x")


def count(graph: tf.Graph) -> Counter:
    """Multiplications and additions by what they are of: "convolution" and "product" (of matrices).

    Shapes alone decide, and borders count like the rest. Operations without an effect do not count,
    nor does anything else, such as activations, normalizations and optimizers.
    """
    found = Counter()
    for op in _needed(graph):
        if op.type.startswith(("Conv2D", "DepthwiseConv2dNative")):
            result = op.outputs[0] if "Backprop" not in op.type else op.inputs[2]
            kernel = op.outputs[0] if op.type.endswith("Filter") else op.inputs[1]
            taps = kernel.shape[:2] if op.type.startswith("Depthwise") else kernel.shape[:3]
            found["convolution"] += 2 * result.shape.num_elements() * math.prod(taps)
        elif op.type in PRODUCTS:
            inner = op.inputs[0].shape[-2 if op.get_attr(PRODUCTS[op.type]) else -1]
            found["product"] += 2 * op.outputs[0].shape.num_elements() * inner
        elif op.type == "Einsum":
            letters = op.get_attr("equation").decode().partition("->")[0].replace(",", "")
            sizes = [size for tensor in op.inputs for size in tensor.shape]
            found["product"] += 2 * math.prod(dict(zip(letters, sizes, strict=True)).values())
        for name in (a.func.name for a in op.node_def.attr.values() if a.HasField("func")):
            called = count(_function(op, name))
            found += {kind: number * _repeats(op) for kind, number in called.items()}
    return found


def _needed(graph: tf.Graph) -> set[tf.Operation]:
    """The operations that outputs or effects depend on."""
    found, waiting = set(), [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return found


def _function(op: tf.Operation, name: str) -> tf.Graph:
    return op.graph._get_function(name).graph


def _repeats(op: tf.Operation) -> int:
    """How often an operation calls its functions: a loop, until its counter is at a constant."""
    if op.type not in ("While", "StatelessWhile"):
        return 1
    condition = _needed(_function(op, op.get_attr("cond").name))
    (test,) = (inner for inner in condition if inner.type == "Less")
    return int(tf.get_static_value(test.inputs[1]))


def trace(run: Callable[[], object], calls: int = 3) -> list[dict]:
    """The operations of a CPU in a call of `run`, the mean of some: milliseconds and number of each
    type, those that take longest first. Where they run side by side, they exceed the call."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        try:
            for _ in range(calls):
                run()
        finally:
            tf.profiler.experimental.stop()
        (path,) = Path(folder).rglob("*.xplane.pb")
        planes = xplane_pb2.XSpace.FromString(path.read_bytes()).planes
    milliseconds, counts = Counter(), Counter()
    for plane in planes:
        for event in (event for line in plane.lines for event in line.events):
            kind = plane.event_metadata[event.metadata_id]
            # Operations are those named "path/of/it:Type", and displayed as "Type".
            if kind.name.endswith(f":{kind.display_name}") and "::" not in kind.name:
                milliseconds[kind.display_name] += event.duration_ps / 1e9 / calls
                counts[kind.display_name] += 1 / calls
    return [
        {"operation": name, "milliseconds": value, "count": counts[name]}
        for name, value in milliseconds.most_common()
    ]


def rates(dtype: str) -> dict[str, Callable[[], float]]:
    """What measures the operations per second of a convolution, forward and backward, and of a
    product of matrices."""
    images, kernel = tf.ones([32, 32, 32, 128], dtype), tf.ones([3, 3, 128, 128], dtype)
    matrix = tf.ones([2048, 2048], dtype)

    def convolve():
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            result = tf.nn.conv2d(images, kernel, 1, "SAME")
        return [result, *tape.gradient(result, [images, kernel], output_gradients=images)]

    functions = {"convolution": convolve, "product": lambda: [matrix @ matrix]}
    compiled = {name: tf.function(run, autograph=False) for name, run in functions.items()}
    return {name: functools.partial(_rate, run) for name, run in compiled.items()}


def _rate(run: tf.types.experimental.PolymorphicFunction, seconds: float = 0.2) -> float:
    """Operations per second of a compiled function that returns tensors."""
    number = count(run.get_concrete_function().graph).total()
    run()
    calls, elapsed = 1, 0.0
    while elapsed < seconds:
        calls *= 2
        start = time.perf_counter()
        for _ in range(calls):
            results = run()
        results[0].numpy()  # waits for the device
        elapsed = time.perf_counter() - start
    return calls * number / elapsed
