"""Published accuracies of DMA-STA, of another data set than ours; most of them only recalled.

Only what `READ` says stands in the authors' abstract and README. The rest was recalled from
memory: never verified, never to be tested on, and shown under its mark.
"""

DATASET = "dfdm"
SOURCE = "Jia et al., “Model Attribution of Face-swap Deepfake Videos” (arXiv 2202.12951)"
ALL = "all five"
READ = "about, in abstract and README"
RECALLED = "recalled, not verified"

# Trained and tested at crf 10, chosen on the test set; by where they are from, then by maker.
PUBLISHED = {
    READ: {ALL: 0.70},
    RECALLED: {
        ALL: 0.7194,
        "original": 0.6357,
        "lightweight": 0.5891,
        "iae": 0.6667,
        "dfaker": 0.9225,
        "dfl_h128": 0.7829,
    },
}
