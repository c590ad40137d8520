"""Inference as files for other runtimes: SavedModel, TensorFlow Lite, ONNX."""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganzoo.backends import require_tensorflow
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.inputs import Mode

TOLERANCE = 1e-3  # of images in [-1, 1]
_OPSET = 17

Modes = dict[str, Mode]


def export(model: GAN, path: str | Path, mode: str | None = None) -> float:
    """Writes what the modes of a model compute, runs the file, and compares.

    A SavedModel and a .tflite have a signature for each mode, by its name; an .onnx file has one.

    Args:
        model: loaded or built.
        path: ends in .tflite, .onnx, or .keras; any other name becomes a SavedModel, a folder.
        mode: the only one to write; None for all, of an .onnx file for the usual one.

    Returns:
        the largest difference between the file's and the model's outputs.

    Raises:
        UserError: when a package for the format is missing, the file computes something else, or
            Keras runs on another backend than the format needs.
    """
    path = Path(path)
    if path.suffix != ".keras":
        require_tensorflow(f"writing {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    modes = model.modes() if mode is None else {mode: model.mode(mode)}
    write = _WRITERS.get(path.suffix, _write_saved_model)
    return max(
        _difference(path, modes[name], run) for name, run in write(model, modes, path).items()
    )


def _difference(path: Path, mode: Mode, run: Callable) -> float:
    """The largest between what a mode and a file make of an example."""
    example = [each.example() for each in mode.inputs]
    ours, theirs = (keras.ops.convert_to_numpy(each(*example)) for each in (mode.run, run))
    difference = float(np.abs(theirs - ours).max())
    if not difference <= TOLERANCE:
        raise UserError(
            f"{path} computes what differs by {difference:g} from what the model does; do not use"
            " it, and please report this"
        )
    return difference


def _write_keras(model: GAN, modes: Modes, path: Path) -> dict[str, Callable]:
    model.save(path)
    saved = keras.saving.load_model(path).modes()
    return {name: saved[name].run for name in modes}


def _write_saved_model(model: GAN, modes: Modes, path: Path) -> dict[str, Callable]:
    module = tf.Module()
    module.state = [variable.value for variable in model.variables]
    signatures = {name: _function(mode) for name, mode in modes.items()}
    for name, function in signatures.items():
        setattr(module, name, function)
    default = next(iter(signatures.values()))
    tf.saved_model.save(module, str(path), {"serving_default": default, **signatures})
    loaded = tf.saved_model.load(path)
    # The object must outlive its functions.
    return {
        name: lambda *inputs, name=name, loaded=loaded: getattr(loaded, name)(
            *map(tf.constant, inputs)
        )
        for name in modes
    }


def _write_tflite(model: GAN, modes: Modes, path: Path) -> dict[str, Callable]:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise _missing(path, error) from error
    with tempfile.TemporaryDirectory() as folder:
        _write_saved_model(model, modes, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(modes))
        try:
            path.write_bytes(converter.convert())
        except Exception as error:  # its own class is private
            raise UserError(
                f"{path}: TensorFlow Lite lacks an operation of {type(model).__name__}; export to"
                f" .onnx instead ({str(error).splitlines()[0]})"
            ) from error
    interpreter = Interpreter(str(path))

    def run(name, *inputs):
        names = [each.spec.name for each in modes[name].inputs]
        results = interpreter.get_signature_runner(name)(**dict(zip(names, inputs, strict=True)))
        return next(iter(results.values()))

    return {name: functools.partial(run, name) for name in modes}


def _write_onnx(model: GAN, modes: Modes, path: Path) -> dict[str, Callable]:
    try:
        import onnxruntime
        import tf2onnx
    except ImportError as error:
        raise _missing(path, error) from error
    name, mode = next(iter(modes.items()))
    specs = [each.spec for each in mode.inputs]
    tf2onnx.convert.from_function(
        _function(mode), input_signature=specs, opset=_OPSET, output_path=str(path)
    )
    session = onnxruntime.InferenceSession(path)
    places = [place.name for place in session.get_inputs()]
    return {name: lambda *given: session.run(None, dict(zip(places, given, strict=True)))[0]}


def _missing(path: Path, error: ImportError) -> UserError:
    return UserError(
        f"{path} needs packages of its own ({error}): pip install '.[export]' in a clone"
    )


def _function(mode: Mode):
    specs = [each.spec for each in mode.inputs]
    return tf.function(lambda *inputs: mode.run(*inputs), input_signature=specs, autograph=False)


_WRITERS = {".keras": _write_keras, ".tflite": _write_tflite, ".onnx": _write_onnx}
