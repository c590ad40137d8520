"""Measures a trained model, or compares two folders of images, or two runs.

Models that draw, by features of a named network:

    python -m ganzoo.evaluate --model=RUN_DIR --metrics=fid50k_full,kid50k --weights=GRAPH.pb
    python -m ganzoo.evaluate --model=RUN_DIR --metrics=fd10k_lenet-mnist,modes10k_lenet-mnist

How well a linear classifier recognizes classes by a discriminator's features:

    python -m ganzoo.evaluate --model=RUN_DIR --metrics=probe10k

How often a model that classifies is wrong, of the data set's split "test":

    python -m ganzoo.evaluate --model=RUN_DIR --metrics=test_error

Real images are those of the training, unless --dataset says otherwise. Any tool's images:

    python -m ganzoo.evaluate --images=FOLDER --reference=FOLDER --metrics=... --weights=...

Models that convert, against known results, beside the trivial answer (bicubic enlargement, or the
input itself):

    python -m ganzoo.evaluate --model=RUN_DIR --dataset=folder:Set5 --metrics=psnr_y,ssim_y

Every result is appended with its protocol to metrics.jsonl in the run directory. Two runs, by what
was measured last:

    python -m ganzoo.evaluate --compare RUN_DIR RUN_DIR
"""

import time
from pathlib import Path

import keras
import tensorflow as tf
from absl import flags

import ganzoo
from ganzoo import cli, data, devices, files, metrics, models
from ganzoo import config as configs
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.evaluation import (
    ErrorEvaluation,
    ProbeEvaluation,
    ReconstructionEvaluation,
    SetEvaluation,
    is_reconstruction,
    results,
)
from ganzoo.latents import LatentGAN
from ganzoo.models.storage import folder_of, weights_in
from ganzoo.runs import append_lines, run_of
from ganzoo.translation import TILE, ImageGAN

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    cli.define_device_flags()
    flags.DEFINE_string("model", None, "a run directory, or the name of a trained model")
    flags.DEFINE_string("dataset", None, "what to measure on: folder:PATH, paired:PATH, or a name")
    flags.DEFINE_string("data_dir", None, "where tensorflow_datasets finds or prepares its data")
    flags.DEFINE_string("split", None, "of the data set; for translators test, else train")
    flags.DEFINE_list("metrics", None, "what to measure, as in fid50k_full or psnr_y,ssim_y")
    flags.DEFINE_boolean(
        "compare", False, "show what was measured of two or more runs side by side"
    )

    flags.DEFINE_list("weights", [], "the file of the feature network; of LPIPS, its two files")
    flags.DEFINE_string(
        "inception", None, "the file classify_image_graph_def.pb; same as --weights"
    )
    flags.DEFINE_string("statistics", None, "an .npz with mu and sigma of real images' features")
    flags.DEFINE_string("images", None, "a folder of images to compare with --reference")
    flags.DEFINE_string("reference", None, "a folder of real images")
    flags.DEFINE_integer("seed", 0, "of latents, labels and random subsets", lower_bound=0)
    flags.DEFINE_integer("seeds", 1, "repeat with so many seeds; gives mean and deviation")
    flags.DEFINE_float("truncation", None, "of styles; None, the usual protocol, is no truncation")

    flags.DEFINE_string("mode", None, "of a model that converts, such as a2b or b2a")
    flags.DEFINE_alias("direction", "mode")
    flags.DEFINE_integer(
        "border", None, "pixels cut off on each side first; None: the scale", lower_bound=0
    )
    flags.DEFINE_integer("num", None, "how many images at most; None for all", lower_bound=1)
    flags.DEFINE_integer("tile", TILE, "largest side that is converted at once, in pixels")


def main(argv):
    """The command line."""
    if FLAGS.compare:
        print(results.compare([Path(run) for run in argv[1:]]))
        return
    cli.refuse_words(argv[1:])
    if FLAGS.images is not None or FLAGS.reference is not None:
        _compare_folders()
    elif FLAGS.model is None:
        raise UserError("Expected: python -m ganzoo.evaluate --model=RUN_DIR --metrics=NAME")
    else:
        strategy = devices.strategy(FLAGS.devices, FLAGS.tpu)
        probes = [name for name in FLAGS.metrics or [] if name.startswith("probe")]
        with strategy.scope():
            model = models.load(FLAGS.model, discriminator=bool(probes))
        if probes:
            _probe(model, probes)
        elif metrics.TEST_ERROR in (FLAGS.metrics or ()):
            _classify(model)
        elif model.mode(FLAGS.mode).draws:
            _draw(model, strategy)
        elif all(map(is_reconstruction, FLAGS.metrics or ["psnr_y"])):
            _reconstruct(model)
        else:
            _convert(model)


def _draw(model: LatentGAN, strategy) -> None:
    """Sets of generated and of real images."""
    started = time.perf_counter()
    if FLAGS.truncation is not None:
        model.require_options(truncation=FLAGS.truncation)
    source = _source(model)
    evaluation = SetEvaluation(
        _names(), _weights(), source, FLAGS.seed, FLAGS.statistics, strategy=strategy
    )
    rows = [evaluation.of_model(model, seed, FLAGS.truncation) for seed in _seeds()]
    _report(rows, evaluation.facts | {"seeds": _seeds(), "truncation": FLAGS.truncation}, started)


def _probe(model, names: list[str]) -> None:
    """What the discriminator knows of classes; draws no random number."""
    started = time.perf_counter()
    if set(FLAGS.metrics) > set(names):
        raise UserError(f"{', '.join(names)}: looks at the discriminator; run it by itself")
    train, test = (_known_source(model, split=split, labels=True) for split in (None, "test"))
    evaluation = ProbeEvaluation(names, train, test)
    _report([evaluation.of_model(model)], evaluation.facts, started)


def _classify(model: GAN) -> None:
    """How often the model's own classifier is wrong; draws no random number."""
    started = time.perf_counter()
    if len(FLAGS.metrics) > 1:
        raise UserError(f"{metrics.TEST_ERROR}: looks at the classifier; run it by itself")
    split = FLAGS.split or "test"
    evaluation = ErrorEvaluation(_known_source(model, split=split, labels=True))
    _report([evaluation.of_model(model)], evaluation.facts | {"split": split}, started)


def _reconstruct(model: ImageGAN) -> None:
    """Images converted, beside what they should have become."""
    started = time.perf_counter()
    if FLAGS.dataset is None:
        raise UserError("Known results are needed: name a data set, as in --dataset=folder:Set5")
    names = FLAGS.metrics or ["psnr_y", "ssim_y"]
    options = ("data_dir", "split", "mode", "border", "num", "tile")
    given = {name: FLAGS[name].value for name in options}
    given["data_direction"] = configs.data_of(FLAGS.model).get("direction", "a2b")
    evaluation = ReconstructionEvaluation(names, FLAGS.dataset, FLAGS.weights, **given)
    values = evaluation.of_model(model)
    _report([values], evaluation.facts, started)


def _convert(model: ImageGAN) -> None:
    """Sets of converted and of real images."""
    started = time.perf_counter()
    mode, known = model.mode(FLAGS.mode), configs.data_of(FLAGS.model)
    if FLAGS.dataset is None or "low_res" in mode.columns:
        raise UserError(
            f"{', '.join(FLAGS.metrics)} of a model that converts: two sets of images of one size"
            " are compared; name them, as in --dataset=unpaired:PATH or --dataset=paired:PATH"
        )
    sizes = {"channels": model.channels, "out_channels": mode.outputs[0].channels}
    split = FLAGS.split or "test"
    where = {"data_dir": FLAGS.data_dir, "split": split}
    where |= {key: known[key] for key in ("direction",) if key in known}
    sets = data.open_sets(FLAGS.dataset, image_size=model.image_size, **sizes, **where)
    inputs, reference = (sets[name] for name in mode.columns)
    evaluation = SetEvaluation(FLAGS.metrics, _weights(), reference, FLAGS.seed, FLAGS.statistics)
    rows = [evaluation.of_conversions(model, FLAGS.mode, inputs, seed) for seed in _seeds()]
    facts = {"split": split, "direction": FLAGS.mode or next(iter(model.modes()))}
    _report(rows, evaluation.facts | facts | {"seeds": _seeds()}, started)


def _compare_folders() -> None:
    """Two folders of images, resized as a whole to squares of the size of the first's, and compared
    in color unless both are grey."""
    started = time.perf_counter()
    if FLAGS.images is None or FLAGS.reference is None:
        raise UserError("Two folders are compared: give both --images=PATH and --reference=PATH")
    names = _names()
    names_of_data = [f"folder:{path}" for path in (FLAGS.images, FLAGS.reference)]
    first, second = map(data.inspect, names_of_data)
    options = {
        "image_size": min(first.size),
        "channels": max(first.channels, second.channels),
        "fit": "stretch",  # as other programs do, which leave out no part of an image
    }
    images, reference = (data.open_source(name, **options) for name in names_of_data)
    evaluation = SetEvaluation(names, _weights(), reference, FLAGS.seed, FLAGS.statistics)
    facts = {"images": FLAGS.images, "images_fingerprint": images.fingerprint}
    facts |= {"channels": options["channels"], "fit": options["fit"]}
    _report([evaluation.of_images(images)], evaluation.facts | facts, started)


def _seeds() -> list[int]:
    return list(range(FLAGS.seed, FLAGS.seed + FLAGS.seeds))


def _names() -> list[str]:
    if not FLAGS.metrics:
        raise UserError("Say what to measure, as in --metrics=fid50k_full")
    return FLAGS.metrics


def _weights() -> list[str]:
    return [FLAGS.inception] if FLAGS.inception else FLAGS.weights


def _source(model: LatentGAN, **changes) -> data.Source | None:
    """The real images: those that the run was trained on, or others in the same form."""
    options = data.source_options(configs.data_of(FLAGS.model))
    for name in ("dataset", "data_dir", "split"):
        if FLAGS[name].value is not None:
            options[name] = FLAGS[name].value
    if options.get("dataset") is None:
        return None
    options["labels"] = model.num_classes > 0
    options |= {key: value for key, value in changes.items() if value is not None}
    return data.open_source(image_size=model.image_size, channels=model.channels, **options)


def _known_source(model: GAN, **changes) -> data.Source:
    """As `_source`; raises UserError where nobody says which."""
    source = _source(model, **changes)
    if source is None:
        raise UserError(f"{FLAGS.model} does not say what it was trained on; add --dataset=NAME")
    return source


def _report(rows: list[dict], facts: dict, started: float) -> None:
    """Prints each value, and appends it with its protocol to the run's history."""
    facts = {
        **facts,
        "seconds": round(time.perf_counter() - started, 1),
        "time": time.strftime("%Y-%m-%d %H:%M:%S"),
        "ganzoo": ganzoo.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
    run = None if FLAGS.model is None else run_of(FLAGS.model)
    if run is not None:
        folder = folder_of(files.expanded(FLAGS.model))
        facts["model_fingerprint"] = files.hash_of(*weights_in(folder))
    lines = results.lines_of(rows)
    print(results.table(lines))
    print(", ".join(f"{key}: {value}" for key, value in facts.items()))
    if run is not None:
        append_lines(run.metrics, [line | facts for line in lines])


if __name__ == "__main__":
    cli.run(main, define_flags, commands=None)
