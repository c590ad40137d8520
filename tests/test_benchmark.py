"""The instrument counts and times what it says."""

import os
import sys
from collections import Counter

import pytest
import tensorflow as tf

from ganzoo import cli, config, trainer
from ganzoo.benchmark import cases, tables
from ganzoo.benchmark.steps import Steps, Worker
from ganzoo.errors import UserError
from ganzoo.testing.subject import recipe_of
from tests import commands
from tests.parity import operations, parts

IMAGES, KERNEL = tf.ones([2, 8, 8, 4]), tf.ones([3, 3, 4, 16])
TAPS = 3 * 3 * 4
WIDE = 2 * (2 * 8 * 8 * 16) * TAPS  # of a convolution that keeps the size
MATRIX = tf.ones([6, 6])


def gradients(function, *tensors):
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    return result, tape.gradient(result, tensors)


def repeated(count):
    def body(index, x):
        return index + 1, x @ MATRIX

    return tf.while_loop(lambda index, x: index < count, body, (tf.constant(0), MATRIX))[1]


@pytest.mark.parametrize(
    ("function", "convolution", "product"),
    [
        (lambda: tf.nn.conv2d(IMAGES, KERNEL, 1, "SAME"), WIDE, 0),
        (lambda: tf.nn.conv2d(IMAGES, KERNEL, 2, "SAME"), WIDE // 4, 0),
        (lambda: tf.nn.conv2d(IMAGES, KERNEL, 1, "VALID"), 2 * (2 * 6 * 6 * 16) * TAPS, 0),
        (
            lambda: tf.nn.conv2d_transpose(IMAGES, tf.ones([3, 3, 5, 4]), [2, 16, 16, 5], 2),
            2 * (2 * 8 * 8 * 4) * 3 * 3 * 5,
            0,
        ),
        (
            lambda: gradients(lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"), IMAGES, KERNEL),
            3 * WIDE,
            0,
        ),
        # The images' gradient is in the graph, too, but nobody asked for it.
        (lambda: gradients(lambda k: tf.nn.conv2d(IMAGES, k, 1, "SAME"), KERNEL), 2 * WIDE, 0),
        (
            lambda: tf.nn.conv2d(IMAGES, tf.ones([3, 3, 2, 16]), 1, "SAME"),  # two groups
            WIDE // 2,
            0,
        ),
        (
            lambda: gradients(
                lambda x, k: tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], "SAME"),
                IMAGES,
                tf.ones([3, 3, 4, 2]),
            ),
            3 * 2 * (2 * 8 * 8 * 4 * 2) * 3 * 3,
            0,
        ),
        (lambda: tf.ones([3, 5]) @ tf.ones([5, 7]), 0, 2 * 3 * 5 * 7),
        (lambda: tf.matmul(tf.ones([5, 3]), tf.ones([7, 5]), True, True), 0, 2 * 3 * 5 * 7),
        (lambda: tf.ones([9, 3, 5]) @ tf.ones([9, 5, 7]), 0, 9 * 2 * 3 * 5 * 7),
        (
            lambda: tf.matmul(tf.ones([9, 5, 3]), tf.ones([9, 5, 7]), transpose_a=True),
            0,
            9 * 2 * 3 * 5 * 7,
        ),
        (
            lambda: tf.raw_ops.Einsum(
                inputs=[tf.ones([2, 3]), tf.ones([3, 5, 7])], equation="nb,byx->nyx"
            ),
            0,
            2 * 2 * 3 * 5 * 7,
        ),
        (lambda: tf.function(lambda: MATRIX @ MATRIX, jit_compile=True)(), 0, 2 * 6**3),
        (lambda: repeated(5), 0, 5 * 2 * 6**3),
        (lambda: tf.nn.relu(MATRIX + 1.0), 0, 0),
    ],
)
def test_operations_are_those_by_hand(function, convolution, product):
    graph = tf.function(function, autograph=False).get_concrete_function().graph
    assert operations.count(graph) == Counter(convolution=convolution, product=product)


@pytest.mark.slow
def test_a_step_in_parts_has_as_many_operations():
    recipe = recipe_of("dcgan", full=False)

    def operations_of(parts):
        recipe.microbatch = parts
        setup = trainer.prepare(recipe, tf.distribute.get_strategy())
        step = setup.model.function_of(setup.model.updates()[:1])
        return operations.count(step.get_concrete_function(iter(setup.batches(0))).graph)

    assert operations_of(4)["convolution"] == operations_of(1)["convolution"] > 0


def test_a_trace_has_every_operation():
    @tf.function
    def inverted_twice(matrix):
        return tf.linalg.inv(tf.linalg.inv(matrix))

    matrix = tf.eye(64) + 1.0
    inverted_twice(matrix)
    lines = operations.trace(lambda: inverted_twice(matrix))
    times = [line["milliseconds"] for line in lines]
    assert {line["operation"]: line["count"] for line in lines}["MatrixInverse"] == pytest.approx(2)
    assert times == sorted(times, reverse=True) and times[-1] >= 0.0 and times[0] > 0.0


SIZES = {
    "dcgan": {"batch_size": 128, "model.image_size": 64, "model.width": 64},
    "srresnet": {"batch_size": 16, "model.image_size": 96, "model.num_blocks": 16},
    "ssgan": {"batch_size": 64, "model.architecture": "mimicry", "model.discriminator_steps": 5},
    "cyclegan": {"batch_size": 1, "model.image_size": 128, "model.num_blocks": 6},
    "stylegan2_ada": {"batch_size": 16, "model.channel_base": 8192, "augment.pipe": "bgc"},
}


@pytest.mark.parametrize("name", cases.CASES)
def test_a_case_has_the_published_size(name, monkeypatch):
    words = cases.spelled_out(["benchmark", f"--model={name}", "--config.seed=7"])
    monkeypatch.setattr(sys, "argv", words)
    with cli.defined(cli.define_config_flags) as own:
        cli.parse(words, own)
        values = config.flatten(cli.from_flags())
    assert SIZES[name] | {"seed": 7} == {key: values[key] for key in (*SIZES[name], "seed")}


def test_cases_are_named_by_model_alone():
    every = list(cases.CASES)
    assert cases.chosen(["b", "--model", "all", "--rounds=2"]) == (every, ["b", "--rounds=2"])
    assert cases.chosen(["b", "--model=ssgan"]) == (["ssgan"], ["b"])
    for words in (["--model=ssgan", "--dataset=shapes"], ["--model=srgan"], ["--config=ssgan"]):
        assert cases.chosen(["b", *words]) == ([], ["b", *words])
        assert cases.spelled_out(["b", *words]) == ["b", *words]


@pytest.mark.slow
def test_a_worker_answers_from_a_process_of_its_own():
    worker = Worker(os.getpid)
    assert worker("__int__") == worker.process.pid != os.getpid()
    assert worker("__add__", 1) == worker.process.pid + 1
    worker.close()
    assert worker.process.exitcode == 0
    with pytest.raises(UserError, match="Unknown model 'nothing'"):
        Worker(config.find, "nothing")
    with pytest.raises(UserError, match="ended with code 3"):
        Worker(os._exit, 3)


def row(value, unit="ms", what="step"):
    return {"of": "dcgan", "what": what, "unit": unit, "values": [value / 2, value, 9.0 * value]}


def test_an_earlier_file_is_compared_with(tmp_path):
    earlier = [row(30.0), row(10.0, "images/s", "data"), row(1.0, what="gone")]
    tables.save(earlier, tmp_path / "earlier.json")
    assert tables.read(tmp_path / "earlier.json") == earlier
    now = [row(20.0), row(20.0, "images/s", "data"), row(1.0, what="new")]
    _, *lines = tables.compared(now, earlier).splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["step", "30", "20", "ms", "1.50"],
        ["data", "10", "20", "images/s", "2.00"],
    ]
    with pytest.raises(UserError, match="has nothing of dcgan"):
        tables.compared([row(1.0, "s")], earlier)
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(UserError, match="no file that --json wrote"):
        tables.read(tmp_path / "other.json")


def measure(*words):
    """`python tests/parity/parts.py`."""
    return commands.call(lambda: cli.run(parts.main, parts.define_flags), *words)


@pytest.mark.parametrize(
    ("words", "units"),
    [
        (["--part=load", "--preset=dcgan_mnist"], ["ms", "ms"]),
        (["--part=generate", "--preset=dcgan_mnist"], ["images/s"]),
        (["--part=generate", "--preset=cyclegan_solid2striped"], ["images/s"]),
        pytest.param(
            ["--part=data", "--config=dcgan_shapes"], ["images/s"], marks=pytest.mark.slow
        ),
        (["--part=checkpoint", "--config=dcgan_shapes"], ["ms", "ms", "MiB"]),
    ],
)
def test_parts_are_measured(words, units, tmp_path):
    done = measure(*words, "--rounds=2", f"--json={tmp_path}/rows.json")
    assert done.code == 0, done.err
    rows = tables.read(tmp_path / "rows.json")
    assert [one["unit"] for one in rows] == units
    assert all(len(one["values"]) == 2 and min(one["values"]) > 0.0 for one in rows)
    assert all(f"{one['of']}  {one['what']}" in done.out for one in rows)


def test_a_file_to_compare_with_that_is_missing_is_explained(tmp_path):
    words = ["--model=dcgan", f"--compare={tmp_path}/none.json"]
    missing = commands.run("benchmark", *words)
    assert missing.code == 2 and "none.json is no file that --json wrote" in missing.err


def test_what_cannot_be_evaluated_is_explained():
    done = measure("--part=evaluate", "--config=dcgan_shapes")
    assert done.code == 2 and "needs --metric, such as fd50k_lenet-mnist" in done.err


@pytest.mark.slow
def test_a_metric_and_a_start_are_measured(tmp_path):
    metric = ["--part=evaluate", "--config=dcgan_mnist", "--config.data.dataset=shapes"]
    metric += ["--metric=fd1k_lenet-mnist"]
    start = ["--part=import", "--config=dcgan_shapes"]
    for words in (metric, start):
        file = tmp_path / "rows.json"
        done = measure(*words, "--rounds=1", "--batches=1", f"--json={file}")
        assert done.code == 0, done.err
        assert all(one["values"][0] > 0.0 for one in tables.read(file))


@pytest.mark.slow
def test_steps_are_measured_by_kind():
    steps = Steps(recipe_of("ssgan", full=False), "float32", "off", None, None)
    seconds = [steps.round() for _ in range(2)]
    alone, both, mean = steps.rows()
    assert [alone["what"], both["what"]] == ["discriminator", "discriminator + generator"]
    for one in (alone, both, mean):
        assert len(one["values"]) == 2 and one["compile_seconds"] >= 0.0
        assert min(one["images_per_second"], one["share_of_pipeline"], one["peak_mib"]) > 0.0
    for of_alone, of_both, of_mean, second in zip(
        alone["values"], both["values"], mean["values"], seconds, strict=True
    ):
        assert of_mean == pytest.approx((of_alone + of_both) / 2) == 1000 * second


@pytest.mark.slow
def test_operations_of_steps_are_counted_and_timed(tmp_path):
    small = ["--model=ssgan", "--dataset=shapes", "--config.batch_size=8", "--precision=float32"]
    small += [f"--config.model.{side}_width=8" for side in ("generator", "discriminator")]
    small += ["--config.model.discriminator_steps=2"]
    found = {}
    for part in ("operations", "profile"):
        file = tmp_path / f"{part}.json"
        done = measure(f"--part={part}", *small, "--rounds=1", f"--json={file}")
        assert done.code == 0, done.err
        found[part] = {(row["what"], row["unit"]): row["values"] for row in tables.read(file)}
    (alone,), (both,) = (
        found["operations"][kind, "GFLOP"]
        for kind in ("discriminator", "discriminator + generator")
    )
    assert both > alone > 0.0
    assert all(values[0] > 0.0 for part in found.values() for values in part.values())
    names = {what.rpartition(": ")[2] for what, _ in found["profile"]}
    assert any("Conv2DBackprop" in name for name in names)


@pytest.mark.slow
def test_combinations_take_turns_in_processes_of_their_own(tmp_path):
    words = ["--model=dcgan", "--config.model.width=8", "--config.batch_size=8", "--rounds=2"]
    file = tmp_path / "rows.json"
    done = commands.run("benchmark", *words, f"--json={file}")
    assert done.code == 0, done.err
    single, half = tables.read(file)
    assert (single["of"], half["of"]) == ("dcgan float32, jit off", "dcgan mixed_bfloat16, jit off")
    assert single["what"] == half["what"] and "over first" in done.out
    again = commands.run("benchmark", *words, f"--compare={file}")
    assert "times better" in again.out
