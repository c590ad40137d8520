"""Point 5: NaN and infinity in data, gradients, weights and optimizers."""

import re

import numpy as np

from ganzoo import checkpoints
from tests.faults.trying import BATCH, HALF, STEPS, Try, arrays, at_step

PER_MODEL = True
VALUES = {"NaN": float("nan"), "infinity": float("inf")}
TICK = f"--config.tick_images={(STEPS - HALF) * BATCH}"


def tries(context, name):
    """They come at some step of a resumed run; the message names it, and the run before it stays as
    it was."""
    training = context.training(name)
    while True:
        for place, poison in PLACES.items():
            value = context.random.choice(list(VALUES))
            step = context.random.randrange(HALF + 1, STEPS)
            pick = context.random.random()
            workdir = training.copy(training.half)
            done = training.run(
                workdir, TICK, fault=lambda p=poison, s=step, v=value, k=pick: p(s, VALUES[v], k)
            )
            # A second moment that is infinite stops a weight, of which no loss tells.
            named = None if poison is _optimizers else step + 1  # the first step has the number 1
            trouble = _trouble(training, workdir, done, step, named)
            found = re.search(r"since step.*", done.text)
            saw = trouble or (f"Health: … not finite …, {found[0]}" if found else done.saw)
            yield Try(f"{value} in {place}", not trouble, saw)


def _trouble(training, workdir, done, step, named) -> str:
    if not done.is_explained or "not finite" not in done.text:
        return f"{done.saw}: {done.text[-300:]}"
    if named and not re.search(rf"since step {named}\b.*seed 1\b", done.text):
        return f"not named as step {named}: {done.text[-500:]}"
    if checkpoints.saved_steps(workdir / "checkpoints")[-1] > step:
        return "a checkpoint was written after it"
    for path in workdir.rglob("*.weights.h5"):
        if not all(np.isfinite(array).all() for array in arrays(path).values()):
            return f"{path.name} is not finite"
    done = training.run(workdir)
    return done.saw if done.code else training.outcome(workdir, log=False)


def _weights(step, value, pick):
    _poison_variables(step, value, pick, lambda model, player: model.player_variables(player))


def _optimizers(step, value, pick):
    def slots(model, player):
        return [v for v in model.optimizer_of(player).variables if len(v.shape) > 1]

    _poison_variables(step, value, pick, slots)


def _poison_variables(step, value, pick, variables_of):
    models = []
    _seen(models)

    def poison():
        model = models[0]
        variables = variables_of(model, model.active_updates(step)[0].player)
        variable = variables[int(pick * len(variables))]
        variable.assign(np.full(variable.shape, value, "float32"))

    at_step(step, poison)()


def _seen(models):
    """Notes the model that is trained."""
    from ganzoo.engine import GAN

    make = GAN.make_train_function

    def noting(model, force=False):
        models.append(model)
        return make(model, force)

    GAN.make_train_function = noting


def _gradients(step, value, pick):
    import tensorflow as tf

    from ganzoo.engine import GAN

    compute = GAN._gradients

    def poisoned(model, update, batch, replica):
        gradients, *rest = compute(model, update, batch, replica)
        factor = tf.where(tf.equal(model.step, step), value, 1.0)
        return [gradient * tf.cast(factor, gradient.dtype) for gradient in gradients], *rest

    GAN._gradients = poisoned


def _data(step, value, pick):
    """Files have none: they come from a person's own data set."""
    import tensorflow as tf

    from ganzoo import data

    make = data.batches

    def poisoned(stream, *, start_step=0, **options):
        def poison(number, batch):
            factor = tf.where(tf.equal(number, step), value, 1.0)
            return {
                name: column * factor if column.dtype.is_floating else column
                for name, column in batch.items()
            }

        batches = make(stream, start_step=start_step, **options)
        return batches.enumerate(start_step).map(poison)

    data.batches = poisoned


PLACES = {
    **{"data": _data, "gradients": _gradients},
    **{"weights": _weights, "the optimizer's moments": _optimizers},
}
