"""What every detector promises, whatever its network."""

import pytest
import torch
from torch import Tensor

from unmask.detectors import DETECTORS
from unmask.detectors.create import create_detector
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector

SIZE = 64
SETTINGS: dict[str, dict[str, object]] = {
    "dma_sta": {"width": 0.25},
    "efficientnet_lite0": {"pretrained": False},
    "timm_model": {"architecture": "test_resnet"},
}


@pytest.fixture(scope="module", params=sorted(DETECTORS))
def detector(request: pytest.FixtureRequest) -> Detector:
    torch.manual_seed(0)
    name = str(request.param)
    return create_detector(name, size=SIZE, **SETTINGS.get(name, {})).eval()


def some_faces(
    items: int, detector: Detector, *, times: int = 1, height: int = SIZE, width: int = SIZE
) -> Tensor:
    """Return faces, of a network of clips whole clips."""
    times = max(times, detector.frames)
    return torch.rand(items, times, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_each_item_gets_a_row_of_logits_and_a_score(detector: Detector) -> None:
    faces = some_faces(3, detector, times=2)
    assert detector(faces).shape == (3, len(detector.classes))
    scores = detector.scores(faces)
    assert scores.shape == (3,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_an_items_logits_do_not_depend_on_the_rest_of_the_batch(detector: Detector) -> None:
    faces = some_faces(3, detector)
    alone = torch.cat([detector(faces[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(detector(faces), alone, rtol=1e-4, atol=1e-5)


def test_the_logits_of_single_faces_are_averaged_and_a_clip_is_judged_whole(
    detector: Detector,
) -> None:
    faces = some_faces(1, detector, times=3)
    if detector.frames > 1:
        with pytest.raises(InvalidInputError, match=f"clips of {detector.frames} frames, got 1"):
            detector(faces[:, :1])
        return
    each = detector(faces.transpose(0, 1))
    torch.testing.assert_close(detector(faces), each.mean(0, keepdim=True), rtol=1e-4, atol=1e-5)


def test_any_size_of_face_goes_in_and_is_resized_inside(detector: Detector) -> None:
    faces = some_faces(2, detector, height=90, width=70)
    small = torch.nn.functional.interpolate(
        faces.flatten(0, 1), (SIZE, SIZE), mode="bilinear", antialias=True
    ).clamp(0, 1)
    small = small.view(2, -1, 3, SIZE, SIZE)
    torch.testing.assert_close(detector(faces), detector(small), rtol=1e-4, atol=1e-5)


def test_gradients_reach_the_faces_and_every_parameter(detector: Detector) -> None:
    faces = some_faces(2, detector).requires_grad_()
    detector(faces)[:, 0].sum().backward()
    assert faces.grad is not None
    assert faces.grad.abs().sum() > 0
    for name, parameter in detector.named_parameters():
        assert parameter.grad is not None, name
    detector.zero_grad()


def test_memory_format_of_the_faces_does_not_matter(detector: Detector) -> None:
    faces = some_faces(2, detector)
    last = faces.flatten(0, 1).contiguous(memory_format=torch.channels_last).view_as(faces)
    torch.testing.assert_close(detector(last), detector(faces), rtol=1e-4, atol=1e-5)


def test_its_state_makes_an_equal_twin(detector: Detector) -> None:
    name = next(name for name in DETECTORS if type(detector) is DETECTORS[name])
    twin = create_detector(name, size=SIZE, **SETTINGS.get(name, {})).eval()
    twin.load_state_dict(detector.state_dict())
    faces = some_faces(2, detector)
    assert torch.equal(twin(faces), detector(faces))


def test_faces_out_of_range_are_refused(detector: Detector) -> None:
    with pytest.raises(InvalidInputError, match=r"faces must lie in \[0, 1\], got \[0, 255\]"):
        detector(torch.tensor([0.0, 255.0]).repeat(2, 1, 3, SIZE, SIZE // 2))


def test_faces_without_an_axis_of_time_are_refused(detector: Detector) -> None:
    with pytest.raises(InvalidInputError, match=r"must have shape \(N, T, 3, H, W\)"):
        detector(some_faces(2, detector)[:, 0])


def test_integer_faces_are_refused(detector: Detector) -> None:
    with pytest.raises(InvalidInputError, match=r"must be floating point, got torch\.uint8"):
        detector(some_faces(2, detector).to(torch.uint8))


class _Crooked(Detector):
    def logits(self, faces: Tensor) -> Tensor:
        return faces.new_zeros(1, len(self.classes))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (1, r"must have shape \(2, 3, 2\), got \(1, 2\); return one row of logits for each face"),
        (3, r"must have shape \(2, 2\), got \(1, 2\); return one row of logits for each clip"),
    ],
)
def test_a_part_that_returns_logits_of_another_shape_is_refused(frames: int, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        _Crooked(size=8, frames=frames)(torch.rand(2, 3, 3, 8, 8))


def test_a_network_without_a_real_class_has_no_score() -> None:
    crooked = _Crooked(size=8, classes=("swap", "blend"))
    with pytest.raises(InvalidInputError, match="classes must contain 'real' for a score"):
        crooked.scores(torch.rand(1, 1, 3, 8, 8))


def test_classes_that_repeat_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="two or more different names"):
        _Crooked(size=8, classes=("real", "real"))
