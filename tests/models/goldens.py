"""Weights made by a formula, in PyTorch's layout, and the outputs recorded with them.

A published network with these weights was run once; ours has to give the same numbers when it is
filled with the same weights, transposed to its own layout.
"""

import json
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "goldens"


def hashed(name, shape):
    """Numbers in (0, 1) that depend on the name and the flat index alone: murmur3's finalizer."""
    index = np.arange(np.prod(shape), dtype=np.uint64)
    h = (index * np.uint64(0x9E3779B1) + np.uint64(zlib.crc32(name.encode()))).astype(np.uint32)
    for shift, factor in [(16, 0x85EBCA6B), (13, 0xC2B2AE35)]:
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    h ^= h >> np.uint32(16)
    return ((h + 0.5) / 2.0**32).reshape(shape)


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


def stylegan_parameter(name, shape):
    """An entry of a state dict of StyleGAN2, whose weights are scaled when used."""
    noise = 3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)
    if name.endswith("noise_strength"):
        return np.full(shape, 0.1)
    if name.endswith("affine.bias"):
        return 1.0 + 0.1 * noise
    if name.endswith(("bias", "w_avg")):
        return 0.1 * noise
    return 100.0 * noise if "mapping.fc" in name and name.endswith("weight") else noise


def fill_convolution(layer, name, kernel="weight"):
    """From `{name}.{kernel}` [out, in, k, k], and the bias if there is one."""
    height, width, before, after = layer.kernel.shape
    weight = parameter(f"{name}.{kernel}", (after, before, height, width))
    layer.kernel.assign(weight.transpose(2, 3, 1, 0))
    _fill_bias(layer, name)


def fill_transposed(layer, name):
    """From `{name}.weight` [in, out, k, k], and the bias if there is one."""
    height, width, after, before = layer.kernel.shape
    weight = parameter(f"{name}.weight", (before, after, height, width), transposed=True)
    layer.kernel.assign(weight.transpose(2, 3, 1, 0))
    _fill_bias(layer, name)


def fill_linear(layer, name):
    """From `{name}.weight` [out, in], and the bias if there is one."""
    weight = parameter(f"{name}.weight", tuple(layer.kernel.shape)[::-1])
    layer.kernel.assign(weight.T)
    _fill_bias(layer, name)


def fill_norm(layer, name):
    """Batch normalization: scale, offset and moving averages."""
    entries = {
        "weight": layer.gamma,
        "bias": layer.beta,
        "running_mean": layer.moving_mean,
        "running_var": layer.moving_variance,
    }
    for entry, variable in entries.items():
        variable.assign(parameter(f"{name}.{entry}", tuple(variable.shape)))


def assert_golden(model, key, outputs):
    """Compares `outputs` in PyTorch's layout with what was recorded as `key` of `model`."""
    golden = json.loads((FOLDER / f"{model}.json").read_text())[key]
    outputs = np.asarray(outputs, np.float64)
    assert list(outputs.shape) == golden["shape"]
    chosen = outputs.ravel()[golden["indices"]]
    np.testing.assert_allclose(chosen, golden["values"], atol=1e-4, rtol=0)
    moments = [outputs.mean(), outputs.std()]
    np.testing.assert_allclose(moments, [golden["mean"], golden["std"]], atol=1e-4, rtol=0)


def _fill_bias(layer, name):
    if layer.bias is not None:
        layer.bias.assign(parameter(f"{name}.bias", tuple(layer.bias.shape)))
