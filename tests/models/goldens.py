"""Weights made by a formula, in PyTorch's layout, and the outputs recorded with them.

A published network with these weights was run once; ours has to give the same numbers when it is
filled with the same weights, transposed to its own layout.
"""

import json
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf

FOLDER = Path(__file__).parents[1] / "goldens"


def hashed(name, shape):
    """Numbers in (0, 1) that depend on the name and the flat index alone: murmur3's finalizer."""
    index = np.arange(np.prod(shape), dtype=np.uint64)
    h = (index * np.uint64(0x9E3779B1) + np.uint64(zlib.crc32(name.encode()))).astype(np.uint32)
    for shift, factor in [(16, 0x85EBCA6B), (13, 0xC2B2AE35)]:
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    h ^= h >> np.uint32(16)
    return ((h + 0.5) / 2.0**32).reshape(shape)


def normal(name, shape):
    """Numbers of unit variance, by their name."""
    return (3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)).astype(np.float32)


def inputs(shape):
    """The input of every recorded network, in (-1, 1)."""
    return 2.0 * hashed("input", shape) - 1.0


def parameter(name, shape, transposed=False):
    """An entry of a PyTorch state dict, scaled by its kind."""
    noise = 3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)
    if len(shape) == 4:  # convolution [out, in, k, k], or [in, out, k, k] if transposed
        fan_in = np.prod(shape[2:]) * (shape[0] / 4 if transposed else shape[1])
        residual = 0.3 if name.startswith("trunk") else 1.0  # SRGAN's deep sum of blocks
        return residual * noise * np.sqrt(2.0 / fan_in)
    if len(shape) == 2:  # linear [out, in]
        return noise * np.sqrt(1.0 / shape[1])
    if name.endswith("running_var"):
        return 1.0 + 0.5 * noise
    if not name.endswith(".weight"):
        return 0.1 * noise
    return 1.0 + 0.1 * noise if np.prod(shape) > 1 else np.full(shape, 0.25)  # 0.25: a PReLU


def stylegan_parameter(name, shape, transposed=False):
    """An entry of a state dict of StyleGAN2, whose weights are scaled when used."""
    noise = 3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)
    if name.endswith("noise_strength"):
        return np.full(shape, 0.1)
    if name.endswith("affine.bias"):
        return 1.0 + 0.1 * noise
    if name.endswith(("bias", "w_avg")):
        return 0.1 * noise
    return 100.0 * noise if "mapping.fc" in name and name.endswith("weight") else noise


def fill(entries, parameter=parameter):
    """Gives the variables of a published layout the formula's weights."""
    for entry in list(entries):
        shape = entry.to_theirs(np.zeros(entry.variable.shape)).shape
        weight = parameter(entry.name, shape, entry.transposed)
        entry.variable.assign(entry.to_ours(weight))


def converge(network):
    """Gives each layer the singular vector that power iterations come to."""
    for layer in network._flatten_layers():
        if hasattr(layer, "power_iteration"):
            _, left, _ = tf.linalg.svd(tf.reshape(layer.kernel, [*layer.u.shape[:1], -1]))
            layer.u.assign(left[:, :1])


def assert_golden(model, key, outputs):
    """Compares `outputs` in PyTorch's layout with what was recorded as `key` of `model`."""
    golden = json.loads((FOLDER / f"{model}.json").read_text())[key]
    outputs = np.asarray(outputs, np.float64)
    assert list(outputs.shape) == golden["shape"]
    chosen = outputs.ravel()[golden["indices"]]
    np.testing.assert_allclose(chosen, golden["values"], atol=1e-4, rtol=0)
    moments = [outputs.mean(), outputs.std()]
    np.testing.assert_allclose(moments, [golden["mean"], golden["std"]], atol=1e-4, rtol=0)
