"""The attack of Carlini and Wagner: the shortest change that fools."""

from math import inf

import torch
from torch import Tensor

from unmask.attack_contracts import Attack, Victim, rounded
from unmask.attacks.walk import check_positive, gradient_of
from unmask.errors import InvalidInputError

NEARLY = 1 - 1e-6  # black and white would lie at infinity


class CarliniWagner(Attack):
    """Minimise |change|^2 + c * max(margin + kappa, 0), and search for the smallest c that fools.

    The face is 0.5 * (tanh(w) + 1), so that it stays in [0, 1], and Adam moves w. After each
    search, c goes halfway to the bound that it has not reached: down where the item was fooled, up
    where it was not. The upper bound starts at `largest_weight`, so with the published 1 a c that
    never suffices takes the values 0.001, 0.5005, 0.75, 0.875, 0.94, and is never above 1.

    Every face on the way is judged, in 256 levels where `eight_bit`: the shortest change that
    beats kappa is kept, or the lowest margin where none does. The ball has no radius, so the base
    changes nothing.

    Args:
        step: learning rate of Adam on w.
        iterations: steps of one search.
        searches: values of c that are tried.
        weight: c of the first search.
        largest_weight: upper bound of c.
        kappa: log-odds by which the detector is to be fooled; 0 gives the shortest change.
        eight_bit: whether the detector is shown the face in 256 levels and its gradient taken as
            if it were not rounded, so that what is found survives in a picture file.
        draws: passes whose margins are averaged, for a victim that is random itself.
        paper_quirks: do as the published code of the suite does. w starts at atanh(face - 1) and
            the face is 0.5 * (tanh(clean + w) + 1), so that the search begins at another picture
            (0.88 for white, 0.48 for mid-grey); the length is not squared; w and Adam go on from
            search to search; and only the end of each search is judged, the last of them being the
            answer where none has beaten kappa.

    Raises:
        InvalidInputError: if a setting is out of its range.

    Reference:
        Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", IEEE S&P 2017,
        section VI-A. https://arxiv.org/abs/1608.04644
    """

    def __init__(
        self,
        *,
        step: float = 0.005,
        iterations: int = 500,
        searches: int = 5,
        weight: float = 1e-3,
        largest_weight: float = 1.0,
        kappa: float = 20.0,
        eight_bit: bool = True,
        draws: int = 1,
        paper_quirks: bool = False,
    ) -> None:
        super().__init__(epsilon=inf, norm="l2")
        check_positive(
            step=step,
            iterations=iterations,
            searches=searches,
            weight=weight,
            largest_weight=largest_weight,
            draws=draws,
        )
        if not kappa >= 0:
            raise InvalidInputError(f"kappa must be at least 0, got {kappa}; it is in log-odds")
        if weight > largest_weight:
            raise InvalidInputError(
                f"weight must be at most largest_weight, {largest_weight}, got {weight}; it is the "
                "c of the first search"
            )
        self.step, self.iterations, self.searches = step, iterations, searches
        self.weight, self.largest_weight, self.kappa = weight, largest_weight, kappa
        self.eight_bit, self.draws, self.paper_quirks = eight_bit, draws, paper_quirks

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return, for each of the faces (N, T, 3, H, W), the shortest change that has fooled."""
        items = torch.arange(len(faces))
        weight = faces.new_full((len(faces),), self.weight)
        low, high = torch.zeros_like(weight), torch.full_like(weight, self.largest_weight)
        best = _Best(faces, self.kappa)
        variable, adam = self._started(faces)
        for _ in range(self.searches):
            if not self.paper_quirks:
                variable, adam = self._started(faces)
            fooled = torch.zeros_like(weight, dtype=torch.bool)
            for iteration in range(self.iterations):
                face, margin = self._one_step(victim, faces, items, weight, variable, adam)
                if not self.paper_quirks or iteration == self.iterations - 1:
                    fooled |= best.offer(face, margin, latest=self.paper_quirks)
            high = torch.where(fooled, torch.minimum(high, weight), high)
            low = torch.where(fooled, low, torch.maximum(low, weight))
            weight = (low + high) / 2
        return best.faces

    def _started(self, faces: Tensor) -> tuple[Tensor, torch.optim.Adam]:
        """Return the variable w at its beginning, and what moves it."""
        inner = faces - 1 if self.paper_quirks else 2 * faces - 1
        variable = (inner * NEARLY).atanh().requires_grad_()
        return variable, torch.optim.Adam([variable], lr=self.step)

    def _one_step(
        self,
        victim: Victim,
        clean: Tensor,
        items: Tensor,
        weight: Tensor,
        variable: Tensor,
        adam: torch.optim.Adam,
    ) -> tuple[Tensor, Tensor]:
        """Move w; return what the detector was shown before, and its margins (n,)."""
        face = ((variable + clean if self.paper_quirks else variable).tanh() + 1) / 2
        shown = rounded(face.detach()) + (face - face.detach()) if self.eight_bit else face
        margin = torch.stack([victim.margin(shown, items) for _ in range(self.draws)]).mean(0)
        victim.took_a_step(items)
        length = (face - clean).square().sum((1, 2, 3, 4))
        if self.paper_quirks:
            length = length.sqrt()
        loss = length + weight * (margin + self.kappa).clamp_min(0)
        variable.grad = gradient_of(loss.sum(), variable)
        adam.step()
        return shown.detach(), margin.detach()


class _Best:
    """The best face of each item so far.

    Args:
        clean: (N, T, 3, H, W).
        kappa: log-odds that a success must beat.
    """

    def __init__(self, clean: Tensor, kappa: float) -> None:
        self.faces, self._clean, self._kappa = clean.clone(), clean, kappa
        self._rank = clean.new_full((len(clean),), inf)

    def offer(self, faces: Tensor, margin: Tensor, *, latest: bool) -> Tensor:
        """Take what is better; return (N,) whether each beats kappa.

        Args:
            faces: (N, T, 3, H, W).
            margin: (N,) of them.
            latest: whether among faces that do not beat kappa the latest is the better one, and
                not that of the lowest margin.
        """
        length = (faces - self._clean).flatten(1).norm(dim=1)
        won = margin < -self._kappa
        # Successes rank below 0, the shorter the lower, and all others above.
        lost = torch.zeros_like(margin) if latest else margin + self._kappa
        rank = torch.where(won, -1 / (1 + length), lost)
        better = (rank <= self._rank) if latest else (rank < self._rank)
        self.faces[better], self._rank[better] = faces[better], rank[better]
        return won
