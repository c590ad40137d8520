"""Measures a trained model, or compares two folders of images.

Models that draw, by features of a named network:

    python -m ganzoo.evaluate --model=RUN_DIR --metrics=fid50k_full,kid50k --weights=GRAPH.pb

Real images are those of the training, unless --dataset says otherwise. Any tool's images:

    python -m ganzoo.evaluate --images=FOLDER --reference=FOLDER --metrics=... --weights=...

Models that convert, against known results:

    python -m ganzoo.evaluate --model=RUN_DIR --dataset=folder:Set5 --metrics=psnr_y,ssim_y

A super-resolution model gets the images of the data set reduced by bicubic interpolation; a
translator gets domain a of `solid2striped` or of `paired:PATH`. Each metric is printed beside that
of the trivial answer (bicubic enlargement, or the input itself).

Every result is appended with its protocol to metrics.jsonl in the run directory.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import flags
from tqdm import tqdm

import ganzoo
from ganzoo import bicubic, cli, data, models
from ganzoo import config as configs
from ganzoo import images as pictures
from ganzoo.data import references
from ganzoo.errors import UserError, unknown
from ganzoo.latents import BATCH_SIZE, LatentGAN, random_of
from ganzoo.metrics import RECONSTRUCTION, FeatureSet, Protocol, measure, open_network, parse
from ganzoo.translation import TILE, ImageGAN

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "a run directory")
flags.DEFINE_string("dataset", None, "what to measure on: folder:PATH, paired:PATH, or a name")
flags.DEFINE_string("data_dir", None, "where tensorflow_datasets finds or prepares its data")
flags.DEFINE_string("split", None, "of the data set; for translators test, else train")
flags.DEFINE_list("metrics", None, "what to measure, as in fid50k_full or psnr_y,ssim_y")

flags.DEFINE_string("weights", None, "the file of the feature network")
flags.DEFINE_string("images", None, "a folder of images to compare with --reference")
flags.DEFINE_string("reference", None, "a folder of real images")
flags.DEFINE_integer("seed", 0, "of latents, labels and random subsets", lower_bound=0)
flags.DEFINE_integer("seeds", 1, "repeat with so many seeds; gives mean and deviation")
flags.DEFINE_float("truncation", None, "of styles; None, the usual protocol, is no truncation")

flags.DEFINE_string("direction", None, "which way to convert, such as a2b or b2a")
flags.DEFINE_integer("border", None, "pixels cut off on each side first; None: the scale")
flags.DEFINE_integer("num", None, "how many images at most; None for all", lower_bound=1)
flags.DEFINE_integer("tile", TILE, "largest side that is converted at once, in pixels")


def main(argv):
    """The command line."""
    if FLAGS.images is not None or FLAGS.reference is not None:
        _compare_folders()
        return
    if FLAGS.model is None:
        raise UserError("Expected: python -m ganzoo.evaluate --model=RUN_DIR --metrics=NAME")
    model = models.load(FLAGS.model)
    (_reconstruct if isinstance(model, ImageGAN) else _distribution)(model)


def _distribution(model: LatentGAN) -> None:
    """Sets of generated and of real images."""
    protocols = _protocols()
    network = open_network(protocols[0].network, FLAGS.weights)
    source = _source(model)
    real = _real_features(source, protocols, network)
    rows = []
    for seed in range(FLAGS.seed, FLAGS.seed + FLAGS.seeds):
        fake = _fake_features(model, source, protocols, network, seed)
        rows.append(_values(protocols, real, fake, seed))
    facts = {"dataset": source.name, "data_fingerprint": source.fingerprint}
    facts |= {"truncation": FLAGS.truncation, "model": FLAGS.model}
    _tell(rows, facts | _facts(network, source.image_size), _run_of(FLAGS.model))


def _compare_folders() -> None:
    """Two folders of images, resized to the size of the first's."""
    if FLAGS.images is None or FLAGS.reference is None:
        raise UserError("Two folders are compared: give both --images=PATH and --reference=PATH")
    protocols = _protocols()
    network = open_network(protocols[0].network, FLAGS.weights)
    first = data.inspect(f"folder:{FLAGS.images}")
    options = {"image_size": min(first.size), "channels": first.channels}
    images, reference = (
        data.open_source(f"folder:{path}", **options) for path in (FLAGS.images, FLAGS.reference)
    )
    most = max(protocol.count for protocol in protocols)
    if len(images) < most:
        raise UserError(f"{FLAGS.images} has {len(images):,} images; {most:,} are asked for")
    real = _real_features(reference, protocols, network)
    chosen = np.random.default_rng(FLAGS.seed).permutation(len(images))[:most]
    fake = _features(_read(images, chosen), len(chosen), protocols, network, "images")
    facts = {"dataset": reference.name, "data_fingerprint": reference.fingerprint}
    facts |= {"images": FLAGS.images, "images_fingerprint": images.fingerprint}
    rows = [_values(protocols, real, fake, FLAGS.seed)]
    _tell(rows, facts | _facts(network, options["image_size"]), None)


def _protocols() -> list[Protocol]:
    if not FLAGS.metrics:
        raise UserError("Say what to measure, as in --metrics=fid50k_full")
    protocols = [parse(name) for name in FLAGS.metrics]
    for key, words in (("network", "feature networks"), ("count", "numbers of images")):
        found = sorted({str(getattr(protocol, key)) for protocol in protocols})
        if len(found) > 1:
            raise UserError(f"Metrics of several {words} ({', '.join(found)}): run one by one")
    return protocols


def _source(model: LatentGAN) -> data.Source:
    """The real images: those that the run was trained on, or others in the same form."""
    recorded = _run_of(FLAGS.model) / "config.json"
    options = dict(configs.read(recorded).data) if recorded.exists() else {}
    for name in ("dataset", "data_dir", "split"):
        if FLAGS[name].value is not None:
            options[name] = FLAGS[name].value
    if options.get("dataset") is None:
        raise UserError(f"{FLAGS.model} does not say what it was trained on; add --dataset=NAME")
    options.pop("flip", None)
    options["labels"] = model.num_classes > 0
    return data.open_source(image_size=model.image_size, channels=model.channels, **options)


def _real_features(source: data.Source, protocols, network) -> FeatureSet:
    full, count = any(p.full for p in protocols), protocols[0].count
    if full and not all(p.full or p.kind == "is" for p in protocols):
        raise UserError("Metrics with and without _full: run one by one")
    if not full and len(source) < count:
        raise UserError(
            f"{source.name} has {len(source):,} images; {count:,} are asked for. Take a metric with"
            " _full, which takes all of them, or fewer images."
        )
    chosen = np.arange(len(source))
    if not full:
        chosen = np.sort(np.random.default_rng(FLAGS.seed).permutation(len(source))[:count])
    return _features(_read(source, chosen), len(chosen), protocols, network, "real")


def _fake_features(model: LatentGAN, source, protocols, network, seed: int) -> FeatureSet:
    """Of images with labels as frequent as those of the real ones, and random noise."""
    count = protocols[0].count
    latents = model.draw_latents(random_of(seed), count)
    chosen = np.random.default_rng(seed).integers(0, len(source), count)
    labels = source.read(chosen)[1] if model.num_classes else None
    options = {"truncation": FLAGS.truncation} if FLAGS.truncation is not None else {}
    if "noise" in model.OPTIONS:
        options["noise"] = "random"
    batches = model.decode_batches(latents, labels, seed, **options)
    made = (_checked(pictures.to_uint8(batch), batch) for batch in batches)
    return _features(made, count, protocols, network, "generated")


def _checked(pixels: np.ndarray, images: np.ndarray) -> np.ndarray:
    if not np.isfinite(images).all():
        raise UserError("The model makes images that are not finite numbers: its training failed")
    return pixels


def _read(source: data.Source, indices: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(indices), BATCH_SIZE):
        yield source.read(indices[start : start + BATCH_SIZE])[0]


def _features(batches, count: int, protocols, network, what: str) -> FeatureSet:
    keep = any(protocol.kind != "fd" for protocol in protocols)
    with tqdm(total=count, unit=f" {what}", disable=not sys.stderr.isatty()) as bar:

        def counted():
            for batch in batches:
                yield batch
                bar.update(len(batch))

        return FeatureSet.of(counted(), network, keep)


def _values(protocols, real: FeatureSet, fake: FeatureSet, seed: int) -> dict[str, float]:
    values = {}
    for protocol in protocols:
        values |= measure(protocol, real, fake, seed)
    return values | {"real_images": real.moments.count, "generated_images": fake.moments.count}


def _facts(network, image_size: int) -> dict:
    return {
        "network": network.name,
        "network_fingerprint": network.fingerprint,
        "image_size": image_size,
        "seeds": list(range(FLAGS.seed, FLAGS.seed + FLAGS.seeds)),
        "ganzoo": ganzoo.__version__,
    }


def _tell(rows: list[dict], facts: dict, run: Path | None) -> None:
    """Prints each value, and appends it with its protocol to the run's history."""
    counts = {name: rows[0].pop(name) for name in ("real_images", "generated_images")}
    for name in rows[0]:
        values = [row[name] for row in rows]
        line = {"metric": name, "value": float(np.mean(values))}
        if len(rows) > 1:
            line["deviation"] = float(np.std(values))
        print(" ".join([f"{name}: {line['value']:.4f}", *_spread(line)]), counts)
        if run is not None:
            _append(run, line | counts | facts | {"time": time.strftime("%Y-%m-%d %H:%M:%S")})


def _spread(line: dict) -> list[str]:
    return [f"(deviation {line['deviation']:.4f})"] if "deviation" in line else []


def _append(run: Path, line: dict) -> None:
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def _reconstruct(model: ImageGAN) -> None:
    """Images converted, beside what they should have become."""
    if FLAGS.dataset is None:
        raise UserError("Known results are needed: name a data set, as in --dataset=folder:Set5")
    metrics = FLAGS.metrics or ["psnr_y", "ssim_y"]
    for name in metrics:
        if name not in RECONSTRUCTION:
            raise unknown("metric", name, RECONSTRUCTION)
    border = FLAGS.border if FLAGS.border is not None else (model.scale if model.scale > 1 else 0)
    split = FLAGS.split or ("train" if model.DATA == "super_resolution" else "test")
    pairs = itertools.islice(_pairs(model, split), FLAGS.num)
    rows = [_measured(model, metrics, *pair, border) for pair in pairs]
    if not rows:
        raise UserError(f"{FLAGS.dataset} holds no image")
    protocol = {
        "dataset": FLAGS.dataset,
        "split": split,
        "direction": FLAGS.direction or model.DIRECTIONS[0],
        "images": len(rows),
        "border": border,
    }
    for name, (own, trivial) in zip(metrics, np.mean(rows, axis=0), strict=True):
        print(f"{name}: {own:.4f} (the trivial answer: {trivial:.4f}), {protocol}")
        _append(
            _run_of(FLAGS.model), {"metric": name, "value": own, "trivial": trivial, **protocol}
        )


def _pairs(model: ImageGAN, split: str):
    """Inputs and their known results, uint8."""
    if model.DATA == "super_resolution":
        return references.open_reductions(
            FLAGS.dataset,
            scale=model.scale,
            channels=model.channels,
            data_dir=FLAGS.data_dir,
            split=split,
        )
    pairs = references.open_translations(
        FLAGS.dataset,
        image_size=model.image_size,
        channels=model.channels,
        split=split,
    )
    backwards = FLAGS.direction == model.DIRECTIONS[1]
    return ((b, a) if backwards else (a, b) for a, b in pairs)


def _measured(model: ImageGAN, names, small, reference, border: int) -> list[tuple[float, float]]:
    """Each metric of the model's answer and of the trivial one."""
    converted = model.convert(small / np.float32(127.5) - 1.0, FLAGS.direction, FLAGS.tile)
    answers = pictures.to_uint8(converted), bicubic.enlarge(small, model.scale)
    metrics = [RECONSTRUCTION[name] for name in names]
    return [tuple(metric(answer, reference, border) for answer in answers) for metric in metrics]


def _run_of(model: str) -> Path:
    """The run directory, also when its `model` folder was named."""
    path = Path(model)
    return path.parent if path.name == "model" else path


if __name__ == "__main__":
    cli.run(main)
