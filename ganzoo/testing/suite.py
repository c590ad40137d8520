"""What every model must do.

Each model comes in its full form, with classes and an averaged generator where it can have them,
and in its plain one, without them and in grey. The tests are those of the file that imports them:

    from ganzoo.testing.suite import *

    MODELS = ["my_module:MyGAN"]

or of `python -m ganzoo.testing my_module:MyGAN`.
"""

import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import checkpoints, config, data, models, trainer
from ganzoo.engine import GAN
from ganzoo.runs import RunDirectory
from ganzoo.testing.subject import (
    BATCH,
    ONE,
    Subject,
    Subjects,
    recipe_of,
    saved_variables,
    values,
)

pytest_plugins = ("ganzoo.testing.plugin",)


def pytest_generate_tests(metafunc):
    """Each test is made once for each model, and for both of its forms where it is `in_both_forms`;
    the plain one is of the second tier, and so are models outside FIRST_TIER, where a file has it,
    but for tests that are `quick`."""
    here = getattr(metafunc.module, "MODELS", ())
    names = metafunc.config.getoption("ganzoo_model", None) or here
    if not names:
        raise pytest.UsageError(
            "Which models are to be tested? Expected MODELS = [NAME] in"
            f" {metafunc.module.__file__}, or --ganzoo-model=NAME"
        )
    if "subjects" in metafunc.fixturenames:
        is_quick = getattr(metafunc.function, "is_quick", False)
        first = names if is_quick else getattr(metafunc.module, "FIRST_TIER", names)
        forms = [_form(name, True, slow=name not in first) for name in names]
        if getattr(metafunc.function, "has_both_forms", False):
            forms += [_form(name, False, slow=True) for name in names]
        metafunc.parametrize("subjects", forms, indirect=True)
    elif "name" in metafunc.fixturenames:
        metafunc.parametrize("name", names)


def _form(name, full, slow):
    marks = [pytest.mark.slow] if slow else []
    return pytest.param((name, full), id=name if full else f"{name}-plain", marks=marks)


def quick(test):
    """Of a test that takes a second or two for any model."""
    test.is_quick = True
    return test


def in_both_forms(test):
    """Of a test that takes the plain form of a model as well."""
    test.has_both_forms = True
    return test


@pytest.fixture(scope="module")
def subjects(request):
    subjects = Subjects(recipe_of(*request.param), request.getfixturevalue)
    yield subjects
    subjects.close()


@pytest.fixture
def subject(subjects):
    return subjects.graph()


@pytest.fixture
def recipe(subjects):
    return subjects.recipe.copy_and_resolve_references()


def halves(network):
    return [np.float16(value) for value in values(network.variables)]


def assert_close(left, right, atol):
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a, b, atol=atol, rtol=0)


def assert_equal(left, right):
    assert_close(left, right, atol=0)


def differing(left, right):
    """How many arrays differ."""
    return sum(not np.array_equal(a, b) for a, b in zip(left, right, strict=True))


@quick
@in_both_forms
def test_the_form_has_what_the_model_can_have(subject):
    full = subject.recipe.model.channels != 1
    arguments = subject.setup.config.model
    labels = subject.recipe.data.get("labels", True)  # some models have no form without
    assert (arguments.get("num_classes", 0) > 0) == (labels and "num_classes" in arguments)
    assert labels or not full or "num_classes" not in arguments
    averaging = "ema_half_life_images" in arguments
    assert not full or len(subject.model.averages()) == averaging


@quick
@in_both_forms
def test_images_are_float32_in_range(subject):
    images = np.asarray(subject.model.preview(subject.batch, 4))
    assert images.dtype == np.float32
    assert images.ndim == 4 and images.shape[-1] == subject.model.channels
    assert np.isfinite(images).all()
    assert images.min() >= -1 and images.max() <= 1 and images.std() > 0


@in_both_forms
def test_a_player_moves_its_networks_and_no_others(subject):
    model = subject.model
    for player, networks in model.players().items():
        subject.restore()
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
        before = values([*frozen, *kernels])
        subject.run(2)  # since what lies before a layer that is 0 at first rests for a step
        after = values([*frozen, *kernels])
        assert_equal(before[: len(frozen)], after[: len(frozen)])
        moved = zip(before[len(frozen) :], after[len(frozen) :], kernels, strict=True)
        rest = [kernel.path for old, new, kernel in moved if (old == new).all()]
        assert kernels and not rest


def test_a_seed_and_a_step_decide_everything(subjects):
    subject = subjects.graph()
    logs, ends = subject.run(2), subject.values()
    subject.restore()
    assert subject.run(2) == logs
    assert_equal(subject.values(), ends)
    batches = subject.setup.batches(0)
    subject.restore()
    first = subject.run(batches=batches)
    subject.restore()
    subject.model.step.assign(1)
    assert subject.run(batches=batches) != first  # other random numbers, for the same images
    subject.restore()
    start = values(subject.model.variables)
    assert_equal(start, values(subjects.two().model.variables))
    assert differing(start, values(subjects.other().model.variables))


def test_xla_equals_graph(subjects):
    """The generator's main loss, which runs through all networks; the others, and augmentation,
    follow in the second tier."""
    logs, ends = subjects.main_step()
    subject = subjects.graph()
    players = list(subject.model.players())
    generator = next((p for p in players if p.startswith("generator")), players[-1])
    compiled = subject.run_main(subject.repeated(), under_xla=generator)
    assert f"{generator}/loss" in compiled
    for name, value in compiled.items():
        assert logs[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name
    assert_close(values(subject.model.variables), ends, atol=1e-4)


def test_two_replicas_equal_one_and_never_differ(subjects, two_replicas):
    """With statistics per replica it holds where the halves of the batch are the same, as here. All
    updates, with augmentation, follow in the second tier."""
    _, ends = subjects.main_step()
    two = subjects.two()
    start = values(two.model.variables)
    two.run_main(two.repeated())
    assert_close(values(two.model.variables), ends, atol=1e-4)  # they move by 0.01 to 2
    assert differing(start, ends)
    logs = two.run_main(two.setup.batches(0))  # on different images
    assert all(np.isfinite(value) for value in logs.values()), logs
    for variable in two.model.variables:
        left, right = two_replicas.experimental_local_results(variable.value)
        np.testing.assert_array_equal(left.numpy(), right.numpy(), err_msg=variable.path)


@in_both_forms
def test_an_augmentation_acts_on_every_player_and_adapts(subject):
    strength, logs = subject.model.augmentation.strength, []
    for start in (0.0, 0.9):
        subject.restore()
        strength.value.assign(start)
        logs.append(subject.run())
        assert abs(logs[-1]["augment/strength"] - start) in (0, pytest.approx(0.1))
    assert logs[0]["augment/strength"] != 0 or logs[1]["augment/strength"] != pytest.approx(0.9)
    without, augmented = logs
    judging = [name for name in without if name.endswith("/real_sign")]
    losses = [name for name in without if name.endswith("/loss")]
    playing = [name for name in without if "adversarial" in name] or losses
    assert judging
    for name in [name.replace("real_sign", "loss") for name in judging] + playing:
        assert augmented[name] != without[name], name


def test_bfloat16_stays_near_float32(subjects):
    logs = []
    for subject in (subjects.graph(), subjects.bfloat16()):
        for player in subject.model.players():  # or one player's rounding is the next one's input
            subject.model.optimizer_of(player).learning_rate = 1e-5
        logs.append(subject.run())
    exact, rough = logs
    assert all(v.dtype == "float32" for v in subject.model.trainable_variables)
    for name, value in exact.items():
        if name.endswith(("/loss", "/gradient_norm")):
            assert rough[name] == pytest.approx(value, rel=0.15), name


def test_a_stopped_run_ends_with_the_same_bits(subjects, tmp_path):
    """As a checkpoint of the middle, put into a new model, has it."""
    subject, fresh = subjects.graph(), subjects.other()
    subject.run(2)
    checkpoints.save(subject.model, tmp_path, keep=1)
    middle = subject.values()
    logs, ends = subject.run(2), subject.values()
    assert differing(middle, ends)

    for player in fresh.model.players():
        fresh.model.optimizer_of(player).learning_rate = 0.5  # nothing of a new model is left
    assert checkpoints.restore_latest(fresh.model, tmp_path) == 2
    assert_equal(fresh.values(), middle)

    subject.restore()
    assert checkpoints.restore_latest(subject.model, tmp_path) == 2
    assert subject.run(2) == logs
    assert_equal(subject.values(), ends)


@in_both_forms
def test_a_saved_model_is_loaded_and_started_from(subjects, recipe, tmp_path):
    subject, fresh = subjects.graph(), subjects.other().model
    subject.run()
    trained, arguments = subject.model, subject.setup.config.model.to_dict()
    models.save(trained, recipe.model_name, arguments, tmp_path / "model")
    loaded = models.load(tmp_path)
    np.testing.assert_array_equal(
        trained.preview(subject.batch, 4), loaded.preview(subject.batch, 4)
    )
    inference = loaded.generators()
    assert (
        len(loaded.variables) == sum(len(n.variables) for n in inference.values()) + 1
    )  # the step
    assert loaded.generator is next(iter(inference.values()))
    discriminator = vars(loaded).get("discriminator")  # there where a mode uses it
    kept = (None, *inference.values())
    assert any(discriminator is network for network in kept)
    lines = []
    loaded.summary(print_fn=lines.append)
    assert lines and "unbuilt" not in "".join(lines)

    loaded.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.preview(subject.batch, 4), again.preview(subject.batch, 4))
    assert again.card == loaded.card
    models.pack(tmp_path, tmp_path / "packed")
    for part, network in inference.items():
        for file in (f"model/{part}.weights.h5", f"packed/{part}.npz"):
            of_file = models.load(tmp_path / file)
            assert of_file.card and list(of_file.generators()) == [part]
            assert_equal(halves(of_file.generator), halves(network))
    for path in (tmp_path / "model.keras", tmp_path / "packed"):
        models.start_from(fresh, path)
        for part, network in fresh.generators().items():
            assert_equal(halves(network), halves(inference[part]))


def test_training_starts_from_a_model_and_from_a_checkpoint(subjects, recipe, tmp_path):
    """Of a checkpoint all networks are loaded, those of training, too."""
    subject, fresh = subjects.graph(), subjects.other()
    subject.run(4)  # in the first steps averages are what they average
    trained, arguments = subject.model, subject.setup.config.model.to_dict()
    models.save(trained, recipe.model_name, arguments, tmp_path / "model")
    for whole in (False, True):  # the run's model alone, then also its checkpoint
        if whole:
            checkpoints.save(trained, tmp_path / "checkpoints", keep=1)
        fresh.restore()
        models.start_from(fresh.model, tmp_path)
        for part, network in fresh.model.generators().items():
            assert_equal(values(network.variables), values(trained.generators()[part].variables))
        for average in fresh.model.averages():
            pair = values(average.source.variables), values(average.target.variables)
            assert whole or not differing(*pair)
        differs = differing(values(played(trained)), values(played(fresh.model)))
        assert not differs if whole else differs
    loaded = models.load(tmp_path, discriminator=True)
    players = [network for networks in loaded.players().values() for network in networks]
    for network in (loaded.generator, loaded.discriminator):
        assert network.variables and any(network is player for player in players)


def played(model):
    """The variables of all networks in training."""
    return [v for networks in model.players().values() for n in networks for v in n.variables]


@in_both_forms
def test_an_exported_model_computes_what_the_model_does(subject, tmp_path):
    assert models.export(subject.model, tmp_path / "saved") < 1e-5
    served = tf.saved_model.load(tmp_path / "saved").signatures["serving_default"]
    names = set(served.structured_input_signature[1])
    assert names == {each.spec.name for each in subject.model.mode().inputs}


@quick
@in_both_forms
def test_modes_are_described_and_have_their_networks(subject):
    model = subject.model
    assert model.modes() and "given" in model.describe()
    for name, mode in model.modes().items():
        assert mode.weights in model.generators() and name.isidentifier()
        example = [tf.constant(each.example()) for each in mode.inputs]
        for each, array in zip(mode.inputs, example, strict=True):
            assert each.spec.is_compatible_with(array)
        result = np.asarray(mode.run(*example))
        assert len(result) == len(example[0]) and np.isfinite(result).all()


def test_checkpoints_of_another_model_are_refused(subject, tmp_path):
    checkpoints.save(subject.model, tmp_path, keep=1)
    with pytest.raises(config.UserError, match="damaged or of another model"):
        checkpoints.restore_latest(
            keras.Sequential([keras.layers.Input([2]), keras.layers.Dense(1)]), tmp_path
        )


@in_both_forms
def test_data_reaches_the_model_as_the_pipeline_made_it(subject):
    setup = subject.setup
    batch = next(iter(setup.batches(2)))
    stream = setup.stream
    dataset = data.batches(stream, batch_size=BATCH, seed=setup.config.seed, start_step=2)
    for name, tensor in next(iter(dataset)).items():
        np.testing.assert_array_equal(batch[name], tensor)


# As a person trains it: with all updates in one graph, Adam, the schedule, the trainer.


@pytest.mark.slow
def test_graphs_of_xla_and_replicas_equal_one(name, two_replicas):
    one = Subject(recipe_of(name), compiled=True)
    logs, ends = one.run(batches=one.repeated()), one.values()
    one.restore()
    one.model.jit = True
    one.step = one.model.function_of(one.model.updates())
    compiled = one.run(batches=one.repeated())
    assert compiled == pytest.approx(logs, rel=1e-3, abs=1e-4)
    assert_close(one.values(), ends, atol=1e-4)
    two = Subject(recipe_of(name), two_replicas, compiled=True)
    two.run(batches=two.repeated())
    assert_close(two.values(), ends, atol=1e-4)


@pytest.mark.slow
def test_the_parts_of_a_batch_are_what_replicas_are(name, two_replicas):
    """With two parts on one device, of a real batch, all variables come to what two replicas make
    of them: pools and moments, too."""
    recipe = recipe_of(name)
    two = Subject(recipe, two_replicas)
    recipe.microbatch = 2
    parted = Subject(recipe)
    for subject in (parted, two):
        subject.run_main(subject.setup.batches(0))
    assert differing(parted.start, parted.values())
    assert_close(values(parted.model.variables), values(two.model.variables), atol=1e-4)


@pytest.fixture
def trained(name, monkeypatch):
    """The recipe of a model in its full form; its training is not compiled."""

    def function_of(model, updates):
        def run(iterator):
            logs = model.distribute_strategy.run(model.train_step, (next(iterator), updates))
            local = model.distribute_strategy.experimental_local_results
            return {name: local(value)[0] for name, value in logs.items()}

        return run

    monkeypatch.setattr(GAN, "function_of", function_of)
    return recipe_of(name)


@pytest.mark.slow
def test_replicas_never_differ_in_float16(trained, two_replicas):
    trained.precision = "mixed_float16"
    setup = trainer.prepare(trained, two_replicas)
    setup.model.make_train_function()
    batches = iter(setup.batches(0))
    for _ in range(period(setup.model)):
        logs = setup.model.train_function(batches)
        assert all(np.isfinite(float(value)) for value in logs.values()), logs
    for variable in setup.model.variables:
        left, right = two_replicas.experimental_local_results(variable.value)
        np.testing.assert_array_equal(left.numpy(), right.numpy(), err_msg=variable.path)


def period(model):
    """The fewest steps from the start in which every update happens."""
    seen = set()
    for step in itertools.count(1):
        seen |= set(model.active_updates(step - 1))
        if len(seen) == len(model.updates()):
            return step


@pytest.mark.slow
def test_a_stopped_training_ends_with_the_same_bits(trained, tmp_path):
    def train_to(folder, images):
        trained.total_images = images
        trainer.train(trained, RunDirectory(tmp_path / folder), ONE)
        steps = checkpoints.saved_steps(tmp_path / folder / "checkpoints")
        return checkpoints.path_of(tmp_path / folder / "checkpoints", steps[-1])

    def saved(path):
        model = trainer.prepare(trained, ONE).model
        checkpoints.load_weights(model, path)
        return values(saved_variables(model))

    train_to("stopped", 3 * BATCH)
    resumed, straight = train_to("stopped", 6 * BATCH), train_to("straight", 6 * BATCH)
    assert resumed.name == straight.name
    assert_equal(saved(resumed), saved(straight))
    last = [
        (tmp_path / run / "log.jsonl").read_text().splitlines()[-1]
        for run in ("stopped", "straight")
    ]
    logs = [{k: v for k, v in json.loads(line).items() if "/" in k} for line in last]
    assert logs[0] == logs[1]


@pytest.mark.slow
def test_the_seed_of_a_training_decides_its_losses(trained):
    def losses(seed):
        trained.seed = seed
        setup = trainer.prepare(trained, ONE)
        setup.model.make_train_function()
        logs = setup.model.train_function(iter(setup.batches(0)))
        return {name: float(value) for name, value in logs.items()}

    first = losses(0)
    assert losses(0) == first != losses(1)
