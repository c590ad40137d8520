"""What every model in MODELS must do; a new model needs no code here."""

import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import checkpoints, config, data, engine, models, trainer
from ganzoo.runs import RunDirectory
from ganzoo.seeds import Random

BATCH = 16
ONE = tf.distribute.get_strategy()


@pytest.fixture(params=sorted(models.MODELS))
def recipe(request):
    """The model's default recipe, small, on bundled data."""
    recipe, model = config.load(request.param), models.model_class(request.param)
    recipe.update(
        {
            "batch_size": BATCH,
            "total_images": 8 * BATCH,
            "tick_images": 4 * BATCH,
            "num_samples": 4,
            "precision": "float32",
            "augment": {"pipe": "color", "strength": 0.5, "target": 0.6},
            "data": {"dataset": data.KINDS[model.DATA].bundled},
            "model": dict(model.TINY),
        }
    )
    return recipe


def ready(recipe, strategy=ONE, jit=False):
    """The model ready to train, by gradient descent: Adam would make full steps of rounding."""
    setup = trainer.prepare(recipe, strategy)
    with strategy.scope():
        players = setup.model.players()
        setup.model.compile(
            {player: keras.optimizers.SGD(0.01) for player in players}, BATCH, jit=jit
        )
    return setup


def run(setup, steps, batches=None):
    """The logs of some steps."""
    iterator = iter(setup.batches(0) if batches is None else batches)
    setup.model.make_train_function()
    logs = {}
    for _ in range(steps):
        step_logs = setup.model.train_function(iterator)
        logs |= {name: float(value) for name, value in step_logs.items()}
    return logs


def period(setup):
    """The fewest steps from the start in which every update happens."""
    model, seen = setup.model, set()
    for step in itertools.count(1):
        seen |= set(model.active_updates(step - 1))
        if len(seen) == len(model.updates()):
            return step


def values(layers):
    return [v.numpy() for layer in layers for v in layer.variables]


def halves(layers):
    return [np.float16(value) for value in values(layers)]


def assert_close(left, right, atol):
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a, b, atol=atol, rtol=0)


def assert_equal(left, right):
    assert_close(left, right, atol=0)


def test_images_are_float32_in_range(recipe):
    setup = trainer.prepare(recipe, ONE)
    images = np.asarray(setup.model.preview(setup.examples(BATCH), 4))
    assert images.dtype == np.float32
    assert images.ndim == 4
    assert np.isfinite(images).all()
    assert images.min() >= -1 and images.max() <= 1 and images.std() > 0


def test_a_player_moves_its_networks_and_no_others(recipe):
    setup = ready(recipe)
    model = setup.model
    batch = setup.examples(BATCH)
    for player, networks in model.players().items():
        for name in model.players():
            model.optimizer_of(name).learning_rate = 0.01 * (name == player)
        others = [
            network
            for networks_of_other in model.players().values()
            for network in networks_of_other
            if not any(network is own for own in networks)
        ]
        frozen = [v for network in others for v in network.trainable_variables]
        # Kernels: a bias may rest, as a hinge's last one does while all examples are active.
        kernels = [v for v in model.player_variables(player) if len(v.shape) > 1]
        before = [v.numpy() for v in [*frozen, *kernels]]
        model.train_step(batch)
        after = [v.numpy() for v in [*frozen, *kernels]]
        assert_equal(before[: len(frozen)], after[: len(frozen)])
        moved = zip(before[len(frozen) :], after[len(frozen) :], kernels, strict=True)
        rest = [kernel.path for old, new, kernel in moved if (old == new).all()]
        assert kernels and not rest


def test_a_seed_decides_everything(recipe):
    first, second = ready(recipe), ready(recipe)
    steps = period(first)
    assert run(first, steps) == run(second, steps)
    assert_equal(values([first.model]), values([second.model]))
    recipe.seed = 1
    other = ready(recipe)
    assert run(other, steps) != run(second, 0)
    pairs = zip(values([first.model]), values([other.model]), strict=True)
    assert any((a != b).any() for a, b in pairs)


def test_xla_equals_graph(recipe):
    graph, xla = ready(recipe), ready(recipe, jit=True)
    steps = period(graph)
    logs, compiled = run(graph, steps), run(xla, steps)
    for name, value in logs.items():
        assert compiled[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name
    assert_close(values([graph.model]), values([xla.model]), atol=1e-4)


class Repeating(Random):
    """Draws two examples and repeats them, as `repeating` does with the batch."""

    def _bits(self, stream, shape):
        one = Random(self.seed, self.step, scope=self.scope)
        pair = one._bits(stream, [min(2, shape[0]), *shape[1:]])
        return tf.tile(pair, [max(1, shape[0] // 2), *[1 for _ in shape[1:]]])


def repeating(setup):
    """A batch of two examples, over and over: every part of it has the statistics of the whole."""
    batch = {k: np.tile(v[:2], [BATCH // 2, *[1] * (v.ndim - 1)]) for k, v in first(setup).items()}
    return tf.data.Dataset.from_tensors(batch).repeat()


def first(setup):
    return {name: tensor.numpy() for name, tensor in setup.examples(BATCH).items()}


def test_two_replicas_equal_one(recipe, two_replicas, monkeypatch):
    """With statistics per replica it holds where the halves of the batch are alike, as here."""
    monkeypatch.setattr(engine, "Random", Repeating)
    one, two = ready(recipe), ready(recipe, two_replicas)
    run(one, period(one), repeating(one))
    batches = two_replicas.experimental_distribute_dataset(repeating(two))
    run(two, period(two), batches)
    assert_close(values([one.model]), values([two.model]), atol=1e-4)  # they move by 0.01 to 2


def test_an_augmentation_acts_on_every_player_and_adapts(recipe):
    recipe.augment.update({"pipe": "none", "strength": None, "target": None})
    setup = ready(recipe)
    without = run(setup, period(setup))
    recipe.augment.update({"pipe": "bgc", "strength": 0.9, "target": 0.0, "interval": 1})
    recipe.augment.speed_images = 10 * BATCH
    setup = ready(recipe)
    augmented = run(setup, period(setup))
    judging = [name for name in without if name.endswith("/real_sign")]
    playing = [name for name in without if "adversarial" in name] or judging
    assert judging
    for name in [name.replace("real_sign", "loss") for name in judging] + playing:
        assert augmented[name] != without[name], name
    assert abs(augmented["augment/strength"] - 0.9) > 0.09


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_replicas_never_differ(recipe, two_replicas, precision):
    recipe.precision = precision
    setup = trainer.prepare(recipe, two_replicas)
    logs = run(setup, period(setup))
    assert all(np.isfinite(value) for value in logs.values()), logs
    for variable in setup.model.variables:
        left, right = two_replicas.experimental_local_results(variable.value)
        np.testing.assert_array_equal(left.numpy(), right.numpy(), err_msg=variable.path)


def test_bfloat16_stays_near_float32(recipe):
    exact = run(ready(recipe), 1)
    recipe.precision = "mixed_bfloat16"
    setup = ready(recipe)
    rough = run(setup, 1)
    assert all(v.dtype == "float32" for v in setup.model.trainable_variables)
    for name, value in exact.items():
        if name.endswith("/loss"):
            assert rough[name] == pytest.approx(value, rel=0.05), name


def test_a_stopped_run_ends_with_the_same_bits(recipe, tmp_path):
    def train_to(folder, images):
        recipe.total_images = images
        trainer.train(recipe, RunDirectory(tmp_path / folder), ONE)
        steps = checkpoints.saved_steps(tmp_path / folder / "checkpoints")
        return checkpoints.path_of(tmp_path / folder / "checkpoints", steps[-1])

    train_to("stopped", 3 * BATCH)
    resumed, straight = train_to("stopped", 8 * BATCH), train_to("straight", 8 * BATCH)
    assert resumed.name == straight.name
    assert_equal(*(saved(recipe, path) for path in (resumed, straight)))
    last = [
        (tmp_path / run / "log.jsonl").read_text().splitlines()[-1]
        for run in ("stopped", "straight")
    ]
    logs = [{k: v for k, v in json.loads(line).items() if "/" in k} for line in last]
    assert logs[0] == logs[1]


def saved(recipe, path):
    """Every number of a checkpoint, optimizers included."""
    model = trainer.prepare(recipe, ONE).model
    checkpoints.load_weights(model, path)
    optimizers = [model.optimizer_of(player) for player in model.players()]
    return values([model, *optimizers])


def test_a_saved_model_is_loaded_and_started_from(recipe, tmp_path):
    setup = ready(recipe)
    run(setup, period(setup))
    arguments = setup.config.model.to_dict()
    models.save(setup.model, recipe.model_name, arguments, tmp_path / "model")
    loaded = models.load(tmp_path)
    batch = setup.examples(BATCH)
    np.testing.assert_array_equal(setup.model.preview(batch, 4), loaded.preview(batch, 4))
    generators = sum(len(values([network])) for network in loaded.generators().values())
    assert len(values([loaded])) == generators + 1  # the step
    loaded.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.preview(batch, 4), again.preview(batch, 4))
    assert again.card == loaded.card
    models.pack(tmp_path, tmp_path / "packed")
    for part, network in loaded.generators().items():
        for file in (f"model/{part}.weights.h5", f"packed/{part}.npz"):
            of_file = models.load(tmp_path / file)
            assert of_file.card and list(of_file.generators()) == [part]
            assert_equal(halves([of_file.generator]), halves([network]))
    for path in (tmp_path / "model.keras", tmp_path / "packed"):
        fresh = models.build(recipe.model_name, **arguments)
        models.start_from(fresh, path)
        started, kept = fresh.generators().values(), loaded.generators().values()
        assert_equal(halves(started), halves(kept))

    for whole in (False, True):  # the run's model alone, then also its checkpoint
        if whole:
            checkpoints.save(setup.model, tmp_path / "checkpoints", keep=1)
        fresh = models.build(recipe.model_name, **arguments)
        models.start_from(fresh, tmp_path)
        np.testing.assert_array_equal(setup.model.preview(batch, 4), fresh.preview(batch, 4))
        for average in fresh.averages():
            assert whole or not differing([average.source], [average.target])
        differs = differing(trained(setup.model), trained(fresh))
        assert not differs if whole else differs


def test_all_loaded_models_have_a_generator_and_a_discriminator(recipe, tmp_path):
    recipe.model.update({k: 1000 for k in recipe.model if k == "ema_half_life_images"})
    setup = trainer.prepare(recipe, ONE)
    built, arguments = setup.model, setup.config.model.to_dict()
    models.save(built, recipe.model_name, arguments, tmp_path / "model")
    checkpoints.save(built, tmp_path / "checkpoints", keep=1)
    loaded, whole = models.load(tmp_path), models.load(tmp_path, discriminator=True)
    inference = next(iter(built.generators().values()))
    assert_equal(values([loaded.generator]), values([inference]))
    lines = []
    loaded.summary(print_fn=lines.append)
    assert values([loaded.generator]) and "unbuilt" not in "".join(lines)
    assert not hasattr(loaded, "discriminator")
    players = [network for networks in whole.players().values() for network in networks]
    for network in (whole.generator, whole.discriminator):
        assert values([network]) and any(network is player for player in players)


def trained(model):
    return itertools.chain(*model.players().values())


def differing(networks, others):
    pairs = zip(values(networks), values(others), strict=True)
    return sum(not np.array_equal(a, b) for a, b in pairs)


def test_checkpoints_of_another_model_are_refused(recipe, tmp_path):
    checkpoints.save(ready(recipe).model, tmp_path, keep=1)
    with pytest.raises(config.UserError, match="damaged or of another model"):
        checkpoints.restore_latest(
            keras.Sequential([keras.layers.Input([2]), keras.layers.Dense(1)]), tmp_path
        )


def test_data_reaches_the_model_as_the_pipeline_made_it(recipe):
    setup = ready(recipe)
    batch = next(iter(setup.batches(2)))
    dataset = data.batches(setup.line, batch_size=BATCH, seed=recipe.seed, start_step=2)
    for name, tensor in next(iter(dataset)).items():
        np.testing.assert_array_equal(batch[name], tensor)
