"""Makes a model of ganzoo out of a file of another program, and back.

    python -m ganzoo.convert --from=stylegan2-ada-pytorch --input=network.pkl --out=FOLDER

What the networks are is inferred from the arrays. FOLDER can be given to `ganzoo.models.load` and
to `python -m ganzoo.generate --model=FOLDER`. Nothing in the file is executed.

    python -m ganzoo.convert --to=cyclegan-pytorch --input=RUN_DIR --out=latest_net_G.pth

writes the state dict of a generator as that program loads it.

    python -m ganzoo.convert --input=NAME --out=model.onnx

writes inference for other runtimes, runs it and compares: .onnx, .tflite, .keras, or .savedmodel. A
file of another program can be given here, too, with --from where its names leave a doubt.
"""

from pathlib import Path

from absl import flags

from ganzoo import cli, files, models, weights
from ganzoo.errors import UserError, choose
from ganzoo.weights import layouts

FLAGS = flags.FLAGS

EXPORTED = (".onnx", ".tflite", ".keras", ".savedmodel")


def define_flags() -> None:
    """The flags of this command."""
    flags.DEFINE_string(
        "from", None, "the program that wrote the file; inferred from its names by default"
    )
    flags.DEFINE_string("to", None, "the program that will read the file")
    flags.DEFINE_string("input", None, "the file, or what ganzoo.models.load takes")
    flags.DEFINE_string("out", None, "the folder to write, or a file by its suffix")
    flags.DEFINE_string(
        "direction", None, "with --to, which generator of a translator, such as b2a"
    )
    flags.DEFINE_string("mode", None, "the only one to export, of those that the model has")


def main(argv):
    """The command line."""
    if FLAGS.input is None or FLAGS.out is None:
        raise UserError(
            "Expected: python -m ganzoo.convert --from=PROGRAM --input=FILE --out=FOLDER, with one"
            f" of {', '.join(models.PROGRAMS)}"
        )
    out = files.expanded(FLAGS.out)
    if FLAGS.to is not None:
        export(FLAGS.to, FLAGS.input, out, FLAGS.direction)
        print(f"Wrote {out}")
        return
    if out.suffix in EXPORTED:
        program, source = FLAGS["from"].value, FLAGS.input
        model = models.read_model(source, program)[0] if program else models.load(source)
        difference = models.export(model, out, FLAGS.mode)
        print(f"Wrote {out}, whose images differ by {difference:.1g} at most")
        return
    _refuse_models(FLAGS.input, out)
    model = convert(FLAGS["from"].value, FLAGS.input, out)
    print(f"Wrote a {type(model).__name__} of {model.image_size} px to {out}")


def _refuse_models(source: str, out: Path) -> None:
    """Raises UserError for models of ganzoo, which need no folder: it is the file that is wrong."""
    suffix = out.suffix
    if suffix.lower() in EXPORTED:
        raise UserError(f"--out={out}: write the suffix in lower case, {suffix.lower()}")
    if source in models.presets() or files.expanded(source).is_dir():
        raise UserError(
            f"--out={out}: {source} is a model that ganzoo can load already; expected a name that"
            f" ends with {', '.join(EXPORTED)}, or --to=PROGRAM for a file of that program"
        )


def convert(program: str | None, source: str | Path, out: str | Path):
    """Reads a file, writes a model for `ganzoo.models.load`, and returns it.

    Args:
        program: a key of `ganzoo.models.PROGRAMS`; None finds out which.
        source: the file.
        out: a folder; what it holds of an earlier model is replaced.

    Raises:
        UserError: for an unknown program, or a file that is not one of its.
    """
    model, name, arguments = models.read_model(source, program)
    models.save(model, name, arguments, Path(out) / "model")
    return model


def export(program: str, source: str, out: str | Path, direction: str | None = None) -> None:
    """Writes a generator as a state dict of another program.

    Args:
        program: a key of `ganzoo.models.PROGRAMS`.
        source: what `ganzoo.models.load` takes.
        out: the file.
        direction: which generator, where there are two; None for the usual one.

    Raises:
        UserError: for an unknown program, or a model that it does not have.
    """
    variants = choose("program", program, models.PROGRAMS).variants
    model = models.load(source)
    known = (v for v in variants if isinstance(model, models.model_class(v.model_name)))
    if (chosen := next(known, None)) is None:
        raise UserError(f"{program} has no {type(model).__name__}, which {source} is")
    generators = model.generators()
    network = choose("direction", direction or next(iter(generators)), generators)
    try:
        arrays = layouts.export(chosen.layout(network))
    except (AttributeError, ValueError, IndexError) as error:
        raise UserError(f"{program} has no such network as {source} ({error})") from error
    arrays = chosen.constants(arrays) | arrays
    arrays = {f"{chosen.prefix}{name}": array for name, array in arrays.items()}
    weights.write_pytorch(arrays, Path(out), chosen.under)


if __name__ == "__main__":
    cli.run(main, define_flags)
