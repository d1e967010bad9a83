"""The loss of face-swap autoencoders."""

from torch import Tensor
from torch.nn.functional import avg_pool2d

from unmask.swapping.prepared import EYES, FACE, MOUTH

PATCH = 3  # pixels
STABLE_MEAN, STABLE_SPREAD = 0.01**2, 0.03**2


def swap_loss(
    predicted: Tensor, truth: Tensor, masks: Tensor, *, eyes: float = 3.0, mouth: float = 2.0
) -> Tensor:
    """Return the loss of one side: a number.

    It is the sum over the areas face, eyes and mouth of a weight (1, `eyes` and `mouth`) times
    the structural dissimilarity, and the mean squared error, of both pictures times the mask.
    An area with a weight of 1 or less, other than the face, adds nothing.

    Structures are compared in patches of 3 x 3 pixels that do not overlap, all channels of a
    patch together; pixels that fill no patch at the right and at the bottom are left out.

    Args:
        predicted: (N, 3, H, W) in [0, 1].
        truth: the same shape.
        masks: (N, 3, H, W) in [0, 1], of face, eyes and mouth.
        eyes: weight of the eyes.
        mouth: weight of the mouth.

    Source:
        https://github.com/deepfakes/faceswap (commit 183aee37).
    """
    weights = {FACE: 1.0, EYES: eyes, MOUTH: mouth}
    areas = [area for area, weight in weights.items() if area == FACE or weight > 1]
    factors = predicted.new_tensor([weights[area] for area in areas])
    # Areas are pooled one by one, which is slow where they lie interleaved in memory.
    chosen = masks[:, areas].contiguous()  # (N, A, H, W)
    squares = chosen.square()
    error = (squares * (predicted - truth).square().mean(1, keepdim=True)).mean((0, 2, 3))
    return (factors * _dissimilarity(predicted, truth, chosen, squares) + error).sum()


def _dissimilarity(predicted: Tensor, truth: Tensor, masks: Tensor, squares: Tensor) -> Tensor:
    """Return the mean over pictures and patches of (1 - SSIM) / 2 under each mask: (A,).

    A mask is the same in all channels, so that sums over channels can be taken before it.
    """

    def means(values: Tensor, under: Tensor) -> Tensor:
        return avg_pool2d(under * values.mean(1, keepdim=True), PATCH)

    first, second = means(predicted, masks), means(truth, masks)
    product = first * second
    both = first.square() + second.square()
    covariance = means(predicted * truth, squares) - product
    variances = means(predicted.square() + truth.square(), squares) - both
    likeness = ((2 * product + STABLE_MEAN) * (2 * covariance + STABLE_SPREAD)) / (
        (both + STABLE_MEAN) * (variances + STABLE_SPREAD)
    )
    return (1 - likeness).mean((0, 2, 3)) / 2
