"""The training step on a model small enough to be computed by hand."""

from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.engine import GAN, Loss, Update
from ganzoo.errors import UserError
from ganzoo.optimizers import SGD, Adam
from ganzoo.seeds import Random

ONE = tf.distribute.get_strategy()


class Toy(GAN):
    """Player `a` fits the mean of the data, `b` fits twice `a`'s answer plus noise."""

    def __init__(self, schedule=None):
        super().__init__()
        self.a = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        self.b = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        self.schedule = schedule or {}

    def build(self, input_shape=None):
        self.a.build((None, 2))
        self.b.build((None, 2))

    def players(self):
        return {"a": [self.a], "b": [self.b]}

    def updates(self):
        return Update("a", self.fit_mean), Update("b", self.follow, **self.schedule)

    def fit_mean(self, batch, random):
        answer = self.a(batch["x"])
        loss = tf.square(answer - 1.0)[:, 0]
        return Loss(loss, logs={"answer": tf.reduce_mean(answer)}, reuse={"answer": answer})

    def follow(self, batch, random):
        noise = random.normal("noise", [batch["x"].shape[0], 1])
        loss = tf.square(self.b(batch["x"]) - 2.0 * batch["answer"] - noise)[:, 0]
        return Loss(loss, logs={"noise": tf.reduce_mean(noise)})

    def after_step(self, batch, logs):
        return {"twice": 2.0 * logs["a/loss"]}


X = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)


def toy(strategy=ONE, jit=False, schedule=None, **options):
    with strategy.scope():
        model = Toy(schedule)
        model.build()
        optimizers = {player: keras.optimizers.SGD(0.1) for player in "ab"}
        model.compile(optimizers, batch_size=8, jit=jit, **options)
    return model


def run(model, strategy=ONE, steps=3, x=X):
    dataset = tf.data.Dataset.from_tensor_slices({"x": x}).batch(8, drop_remainder=True).repeat()
    iterator = iter(strategy.experimental_distribute_dataset(dataset))
    model.make_train_function()
    return [
        {name: float(v) for name, v in model.train_function(iterator).items()} for _ in range(steps)
    ]


def weights(model):
    return np.concatenate([model.a.kernel.numpy(), model.b.kernel.numpy()])


def test_a_step_is_gradient_descent_on_the_mean():
    model = toy()
    logs = run(model, steps=1)[0]
    gradient = np.mean(2 * (X @ np.zeros((2, 1)) - 1.0) * X, axis=0)
    np.testing.assert_allclose(model.a.kernel.numpy()[:, 0], -0.1 * gradient, rtol=1e-6)
    assert logs["a/loss"] == pytest.approx(1.0)
    assert logs["a/gradient_norm"] == pytest.approx(np.linalg.norm(gradient), rel=1e-6)
    assert logs["a/answer"] == 0.0
    assert logs["twice"] == pytest.approx(2.0)


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_two_replicas_with_different_data_equal_one(two_replicas, jit):
    one, two = toy(jit=jit), toy(two_replicas, jit=jit)
    logs, shared = run(one), run(two, two_replicas)
    np.testing.assert_allclose(weights(one), weights(two), atol=1e-6)
    for left, right in zip(logs, shared, strict=True):
        for name in left.keys() - {"a/gradient_norm", "b/gradient_norm"}:  # those are local
            assert left[name] == pytest.approx(right[name], rel=1e-5, abs=1e-6), name


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_a_batch_in_parts_gives_what_the_whole_does(two_replicas, jit):
    whole = toy()
    logs = run(whole)
    for strategy, microbatch in [(ONE, 4)] if jit else [(ONE, 4), (two_replicas, 2)]:
        parted = toy(strategy, jit=jit, microbatch=microbatch)
        for left, right in zip(logs, run(parted, strategy), strict=True):
            for name in left.keys() - {"a/gradient_norm", "b/gradient_norm"}:
                assert left[name] == pytest.approx(right[name], rel=1e-5, abs=1e-6), name
        np.testing.assert_allclose(weights(whole), weights(parted), atol=1e-6)


@pytest.mark.parametrize("microbatch", [0, 3, 16])
def test_batches_without_such_parts_are_refused(microbatch):
    with pytest.raises(UserError, match=f"batch_size = 8 .* microbatch = {microbatch}"):
        toy(microbatch=microbatch)


def test_xla_draws_the_numbers_of_the_graph():
    graph, xla = run(toy()), run(toy(jit=True))
    assert [log["b/noise"] for log in graph] == pytest.approx([log["b/noise"] for log in xla])
    assert len({log["b/noise"] for log in graph}) == 3


def test_what_is_reused_is_a_constant():
    """Else `b`'s loss would reach `a`, which it does not own, or its gradient would be none."""
    alone, both = toy(schedule={"start_images": 10**6}), toy()
    run(alone), run(both)
    np.testing.assert_array_equal(alone.a.kernel.numpy(), both.a.kernel.numpy())


def when(**schedule):
    """The steps out of ten at which `b` moves."""
    model = toy(schedule=schedule)
    return [step for step in range(10) if len(model.active_updates(step)) == 2]


def test_schedules():
    assert when() == list(range(10))
    assert when(every=4) == [0, 4, 8]
    assert when(every=3, offset=2) == [2, 5, 8]
    assert when(start_images=17) == [3, 4, 5, 6, 7, 8, 9]  # batches of 8: 24 images were seen
    assert when(stop_images=24) == [0, 1, 2]
    assert when(every=2, start_images=16, stop_images=48) == [2, 4]


def test_the_schedule_goes_on_where_training_stopped():
    model = toy(schedule={"every": 4, "offset": 3})
    assert ["b/loss" in log for log in run(model, steps=3)] == [False] * 3
    assert ["b/loss" in log for log in run(model, steps=2)] == [True, False]
    assert int(model.step) == 5


def test_learning_rates_follow_the_images_seen():
    model = toy(schedules={"a": {"learning_rate": ("step", (0, 0.5), (16, 0.0))}})
    run(model, steps=2)
    assert model.scheduled_values() == {"a/learning_rate": 0.5}
    before = model.a.kernel.numpy()
    run(model, steps=1)
    np.testing.assert_array_equal(before, model.a.kernel.numpy())
    assert float(model.optimizer_of("a").learning_rate) == 0.0
    assert float(model.optimizer_of("b").learning_rate) == pytest.approx(0.1)


def test_the_loss_is_averaged_once_whatever_its_length():
    model = toy()
    short = model.fit_mean
    model.fit_mean = lambda batch, random: Loss(
        tf.repeat(short(batch, random).value, 3), reuse={"answer": 0.0 * batch["x"][:, :1]}
    )
    run(model, steps=1)
    other = toy()
    run(other, steps=1)
    np.testing.assert_allclose(model.a.kernel.numpy(), other.a.kernel.numpy(), rtol=1e-6)


def test_float16_gradients_are_scaled_and_back():
    plain, scaled = toy(), toy()
    optimizers = {p: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)) for p in "ab"}
    scaled.compile(optimizers, batch_size=8)
    logs, same = run(plain), run(scaled)
    np.testing.assert_allclose(weights(plain), weights(scaled), rtol=1e-5)
    assert logs[0]["a/gradient_norm"] == pytest.approx(same[0]["a/gradient_norm"], rel=1e-5)


def test_fit_trains_the_same_way():
    by_hand, fitted = toy(), toy()
    run(by_hand, steps=4)
    dataset = tf.data.Dataset.from_tensors({"x": X}).repeat()
    fitted.fit(dataset, steps_per_epoch=2, epochs=2, verbose=0, shuffle=False)
    np.testing.assert_array_equal(weights(by_hand), weights(fitted))


def test_optimizers_must_be_those_of_the_players():
    model = Toy()
    model.build()
    with pytest.raises(ValueError, match=r"\['a', 'c'\].*Toy are \['a', 'b'\]"):
        model.compile({"a": keras.optimizers.SGD(), "c": keras.optimizers.SGD()}, batch_size=8)


def test_several_steps_per_execution_are_refused():
    """Keras would run a fraction of the steps without a word."""
    with pytest.raises(TypeError, match="steps_per_execution"):
        toy(steps_per_execution=2)


@pytest.mark.parametrize(
    "data, options, words",
    [
        (
            {"x": np.ones((20, 2))},
            {},
            r"'x' has the shape \(None, 2\); expected 8 .* drop_remainder",
        ),
        ({"x": np.ones((8, 2))}, {"batch_size": 4}, r"the shape \(4, 2\); expected 8 examples"),
        ({"x": np.ones((8, 4, 4, 3), np.uint8)}, {}, "of uint8; expected floats from -1 to 1"),
        (np.ones((8, 2)), {}, "trained on dictionaries of arrays without targets"),
        ({"x": np.ones((8, 2))}, {"y": np.ones(8)}, "dictionaries of arrays without targets"),
    ],
)
def test_batches_that_cannot_be_trained_on_are_told(data, options, words):
    with pytest.raises(UserError, match=words):
        toy().fit(data, **({"batch_size": 8, "verbose": 0} | options))


def test_arrays_may_be_given_as_keras_has_it():
    model = toy()
    model.fit({"x": np.concatenate([X, X])}, batch_size=8, verbose=0)
    logs = model.train_on_batch({"x": X}, return_dict=True)
    assert int(model.step) == 3 and np.isfinite(logs["a/loss"])
    with pytest.raises(UserError, match="no loss on validation data"):
        model.evaluate({"x": X}, verbose=0)


def test_models_that_cannot_be_trained_are_told(tmp_path):
    adam = keras.optimizers.Adam()
    with pytest.raises(UserError, match=r"the players of Toy are \['a', 'b'\]: pass one for each"):
        toy().compile(adam, batch_size=8)
    with pytest.raises(UserError, match=r"no weights yet: call its build\(\)"):
        Toy().compile({"a": adam, "b": adam}, batch_size=8)
    loaded = models.load("dcgan_mnist")
    with pytest.raises(UserError, match="loaded for inference, without its discriminators"):
        loaded.compile({"generator": adam, "discriminator": adam}, batch_size=8)


def test_channels_first_are_told():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(UserError, match=r"channels_first here.*keras\.json"):
            Toy()
    finally:
        keras.config.set_image_data_format("channels_last")


def with_schedule(weight, strategy=ONE, jit=False, **options):
    """A toy whose first loss is multiplied by a weight."""
    model = toy(strategy, jit=jit, **options)
    fit_mean = model.fit_mean

    def weighted(batch, random):
        loss = fit_mean(batch, random)
        value = model.current(weight)
        return loss._replace(value=value * loss.value, logs={"weight": tf.cast(value, tf.float32)})

    model.fit_mean = weighted
    return model


def test_a_weight_that_follows_a_schedule_needs_no_new_graph(two_replicas):
    schedule, ends = ("linear", (8, 1.0), (24, 0.0)), []
    for strategy, options in ((ONE, {"jit": True}), (two_replicas, {"microbatch": 2})):
        model = with_schedule(schedule, strategy, **options)
        with mock.patch.object(model, "function_of", wraps=model.function_of) as function_of:
            logs = run(model, strategy, steps=5)
        function_of.assert_called_once()
        assert [log["a/weight"] for log in logs] == [1.0, 1.0, 0.5, 0.0, 0.0]  # of 0 to 32 images
        ends.append(model.a.kernel.numpy())
    np.testing.assert_allclose(*ends, atol=1e-6)


@pytest.mark.parametrize(("make", "scaled"), [(Adam, True), (keras.optimizers.Adam, False)])
def test_betas_follow_the_images_seen(two_replicas, make, scaled):
    """As Adam by hand, whose corrections take the beta of the step."""
    schedule = ("linear", (0, 0.5), (32, 0.9))
    model = toy(two_replicas)
    with two_replicas.scope():
        optimizers = {player: make(0.1, beta_1=0.0, beta_2=0.5) for player in "ab"}
        if scaled:
            wrap = keras.optimizers.LossScaleOptimizer
            optimizers = {player: wrap(one) for player, one in optimizers.items()}
        model.compile(optimizers, 8, schedules={"a": {"beta_2": schedule}})
    w, v = np.zeros([2]), np.zeros([2])
    for step, beta in enumerate([0.5, 0.6, 0.7, 0.8, 0.9, 0.9], start=1):
        gradient = np.mean(2 * (X @ w - 1.0)[:, None] * X, axis=0)
        v = beta * v + (1 - beta) * gradient**2
        w = w - 0.1 * gradient / (np.sqrt(v / (1 - beta**step)) + 1e-7)
    run(model, two_replicas, steps=6)
    np.testing.assert_allclose(model.a.kernel.numpy()[:, 0], w, rtol=1e-4)
    assert model.scheduled_values() == {"a/beta_2": pytest.approx(0.9)}


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_momentum_follows_the_images_seen(two_replicas, start):
    model = toy(two_replicas)
    with two_replicas.scope():
        optimizers = {player: SGD(0.1, momentum=start) for player in "ab"}
        schedule = ("linear", (8, start), (24, 0.7))
        model.compile(optimizers, 8, schedules={"a": {"momentum": schedule}})
    w, v = np.zeros([2]), np.zeros([2])
    for momentum in (start, start, (start + 0.7) / 2, 0.7, 0.7):
        gradient = np.mean(2 * (X @ w - 1.0)[:, None] * X, axis=0)
        v = momentum * v - 0.1 * gradient
        w += v
    run(model, two_replicas, steps=5)
    np.testing.assert_allclose(model.a.kernel.numpy()[:, 0], w, rtol=1e-4)


class Named(Toy):
    """A toy whose player `b` has a second, named update that may be left out."""

    penalty = True

    def updates(self):
        penalty = Update("b", self.draw, name="penalty")
        return ((penalty,) if self.penalty else ()) + super().updates()

    def draw(self, batch, random):
        noise = random.normal("noise", [batch["x"].shape[0], 1])
        return Loss(0.0 * self.b(batch["x"])[:, 0], logs={"noise": tf.reduce_mean(noise)})


def draws(penalty, streams=2, **options):
    model = Named()
    model.penalty = penalty
    model.build()
    sgd = {player: keras.optimizers.SGD(0.1) for player in "ab"}
    model.compile(sgd, batch_size=8, random_streams=streams, **options)
    return run(model, steps=2)


def test_an_update_left_out_does_not_change_what_the_others_draw():
    with_it, without = draws(True), draws(False)
    assert [log["b/noise"] for log in with_it] == [log["b/noise"] for log in without]
    assert with_it[0]["penalty/noise"] != with_it[0]["b/noise"]
    assert with_it[0]["b/noise"] != with_it[1]["b/noise"]


def test_runs_of_before_keep_the_numbers_of_positions():
    numbers = Random(0, 0, scope="1/").normal("noise", [8, 1])
    old = draws(False, streams=1)
    assert old[0]["b/noise"] == pytest.approx(float(tf.reduce_mean(numbers)), rel=1e-5)
    assert draws(True, streams=1)[0]["b/noise"] != old[0]["b/noise"]
    assert draws(False)[0]["b/noise"] != old[0]["b/noise"]


def test_updates_of_one_name_are_refused():
    model = Named()
    model.build()
    model.updates = lambda: (Update("b", model.draw), *Toy.updates(model))
    with pytest.raises(UserError, match="updates of Named are named b, a, b: give each a name"):
        model.compile({player: keras.optimizers.SGD() for player in "ab"}, batch_size=8)


def test_weights_are_clipped_where_an_update_says_so(two_replicas):
    free, clipped = toy(), toy(two_replicas, schedule={"clip_weights": 0.05})
    run(free), run(clipped, two_replicas)
    assert np.abs(free.b.kernel.numpy()).max() > 0.05
    assert np.abs(clipped.b.kernel.numpy()).max() == np.float32(0.05)
    np.testing.assert_allclose(free.a.kernel.numpy(), clipped.a.kernel.numpy(), atol=1e-6)


def test_generators_that_cannot_be_parted_are_told():
    model = Toy()
    model.generators = lambda: {"first": model.a, "second": model.b}
    with pytest.raises(UserError, match="Toy has the generators first, second, and cannot"):
        model.build_for_inference(["second"])
