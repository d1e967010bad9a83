"""The options of x264 with which equal frames give equal bytes."""

PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)


def x264_options(*, crf: int, preset: str) -> dict[str, str]:
    """Return options for FFmpeg's encoders `libx264` and `libx264rgb`; use one thread as well.

    Left to itself, x264 (core 165, as in PyAV 18) gives other bytes from run to run on processors
    with AVX-512: in twelve runs each, for 11 of 34 sizes from 16 to 640 pixels with the preset
    `medium`. Held to the code that all processors share it never did, at the same speed.

    Example:
        >>> x264_options(crf=23, preset="medium")
        {'crf': '23', 'preset': 'medium', 'x264-params': 'cpu-independent=1'}
    """
    return {"crf": str(crf), "preset": preset, "x264-params": "cpu-independent=1"}
