"""Test a checkpoint on videos and people that it has not seen."""

from unmask.benchmark.evaluate import EvaluateSettings, evaluate
from unmask.benchmark.tables import cross_quality_table, markdown_table
from unmask.cli.verb import verb


def run(settings: EvaluateSettings) -> str:
    """Score the test split and write a result for each quality, with its scores."""
    results = evaluate(settings)
    tables = [cross_quality_table(results, metric=metric) for metric in ("auc", "accuracy")]
    return "\n".join([*map(markdown_table, tables), f"results in {settings.out / 'results'}"])


app = verb(run, EvaluateSettings)
