"""Inference as files for other runtimes: SavedModel, TensorFlow Lite, ONNX."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganzoo.backends import require_tensorflow
from ganzoo.engine import GAN
from ganzoo.errors import UserError

TOLERANCE = 1e-3  # of images in [-1, 1]
_BATCH, _SIDE = 2, 32  # of the example, where a size is open
_OPSET = 17


def export(model: GAN, path: str | Path) -> float:
    """Writes what `model(...)` computes, runs the file, and compares.

    Latents `[N, latent_dim]`, float32, and the labels `[N]`, int32, of a conditional model, or
    images `[N, H, W, C]` of any size become images.

    Args:
        model: loaded or built.
        path: ends in .tflite, .onnx, or .keras; any other name becomes a SavedModel, a folder.

    Returns:
        the largest difference between the file's and the model's images.

    Raises:
        UserError: when a package for the format is missing, the file computes something else, or
            Keras runs on another backend than the format needs.
    """
    path = Path(path)
    if path.suffix != ".keras":
        require_tensorflow(f"writing {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write = _WRITERS.get(path.suffix, _write_saved_model)
    signature = model.signature()
    run = write(model, signature, path)
    inputs = _example(signature, getattr(model, "multiple", 1))
    ours, theirs = (keras.ops.convert_to_numpy(each(*inputs)) for each in (model, run))
    difference = float(np.abs(theirs - ours).max())
    if not difference <= TOLERANCE:
        raise UserError(
            f"{path} makes images that differ by {difference:g} from those of the model; do not use"
            " it, and please report this"
        )
    return difference


def _example(signature: Sequence[tf.TensorSpec], multiple: int) -> list[np.ndarray]:
    """Inputs that fit a signature."""
    rng, arrays = np.random.default_rng(0), []
    for spec in signature:
        first, *rest = spec.shape
        shape = [first or _BATCH, *(size or max(_SIDE, multiple) for size in rest)]
        if spec.dtype == tf.int32:
            arrays.append(np.zeros(shape, np.int32))
        else:
            arrays.append(np.clip(rng.standard_normal(shape), -1, 1).astype(np.float32))
    return arrays


def _write_keras(model: GAN, signature, path: Path) -> Callable:
    model.save(path)
    return keras.saving.load_model(path)


def _write_saved_model(model: GAN, signature, path: Path) -> Callable:
    module = tf.Module()
    module.state = [variable.value for variable in model.variables]
    module.serve = _function(model, signature)
    tf.saved_model.save(module, str(path), {"serving_default": module.serve})
    loaded = tf.saved_model.load(path)
    # The object must outlive its functions.
    return lambda *inputs, loaded=loaded: loaded.serve(*map(tf.constant, inputs))


def _write_tflite(model: GAN, signature, path: Path) -> Callable:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise _missing(path, error) from error
    with tempfile.TemporaryDirectory() as folder:
        _write_saved_model(model, signature, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        try:
            path.write_bytes(converter.convert())
        except Exception as error:  # its own class is private
            raise UserError(
                f"{path}: TensorFlow Lite lacks an operation of {type(model).__name__}; export to"
                f" .onnx instead ({str(error).splitlines()[0]})"
            ) from error
    interpreter = Interpreter(str(path))

    def run(*inputs):
        places = sorted(interpreter.get_input_details(), key=lambda place: place["name"])
        for place, array in zip(places, inputs[::-1], strict=True):  # labels before latents
            interpreter.resize_tensor_input(place["index"], array.shape)
        interpreter.allocate_tensors()
        for place, array in zip(places, inputs[::-1], strict=True):
            interpreter.set_tensor(place["index"], array)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def _write_onnx(model: GAN, signature, path: Path) -> Callable:
    try:
        import onnxruntime
        import tf2onnx
    except ImportError as error:
        raise _missing(path, error) from error
    tf2onnx.convert.from_function(
        _function(model, signature), input_signature=signature, opset=_OPSET, output_path=str(path)
    )
    session = onnxruntime.InferenceSession(path)
    names = [place.name for place in session.get_inputs()]
    return lambda *inputs: session.run(None, dict(zip(names, inputs, strict=True)))[0]


def _missing(path: Path, error: ImportError) -> UserError:
    return UserError(
        f"{path} needs packages of its own ({error}): pip install '.[export]' in a clone"
    )


def _function(model: GAN, signature):
    return tf.function(lambda *inputs: model(*inputs), input_signature=signature, autograph=False)


_WRITERS = {".keras": _write_keras, ".tflite": _write_tflite, ".onnx": _write_onnx}
