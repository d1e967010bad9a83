"""How the learning rate falls."""

from math import cos, pi

from unmask.training.settings import TrainSettings


def learning_rate(settings: TrainSettings, step: int, *, steps: int, steps_per_epoch: int) -> float:
    """Return the learning rate of one step, from its number alone.

    Args:
        settings: of the training.
        step: counted from 0.
        steps: of the whole training.
        steps_per_epoch: of one epoch.

    Returns:
        It rises in a straight line over the warm-up, reaching the full rate with the step after
        it; `cosine` then falls in half a wave to 0 at the end, `step` by a factor every so many
        epochs, and neither below the lowest rate.
    """
    if step < settings.warm_up_steps:
        return settings.learning_rate * (step + 1) / (settings.warm_up_steps + 1)
    return max(_fallen(settings, step, steps, steps_per_epoch), settings.lowest_rate)


def _fallen(settings: TrainSettings, step: int, steps: int, steps_per_epoch: int) -> float:
    if settings.schedule == "cosine":
        gone = (step - settings.warm_up_steps) / max(1, steps - settings.warm_up_steps)
        return settings.learning_rate * (1 + cos(pi * gone)) / 2
    if settings.schedule == "step":
        falls = step // steps_per_epoch // settings.step_every
        return settings.learning_rate * settings.step_factor**falls
    return settings.learning_rate
