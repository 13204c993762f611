"""Benchmarks that break the contract, each in one way."""

import random

import numpy as np
from right_benchmarks import SPACE, Toy, breaks

from search_spaces.errors import ArenaError


@breaks("signature")
class AnotherDefault(Toy):
    def __init__(self, dataset: str = "large", *, epochs: int = 16, ordinals: str = "ordinal"):
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)


@breaks("signature")
class OptionWithoutAnnotation(Toy):
    def __init__(self, dataset: str = "small", *, epochs=16, ordinals: str = "ordinal"):
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)


@breaks("attributes")
class OneDataSetAsText(Toy):
    datasets = "small"

    def __init__(self, dataset: str = "small", *, epochs: int = 16, ordinals: str = "ordinal"):
        if dataset != "small":
            raise ArenaError(f"the data set is small, not {dataset}")
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)


@breaks("attributes")
class NoSource(Toy):
    data_source = ""


@breaks("constructs")
class NanInItsTable(Toy):
    def measured(self, dataset, epochs):
        tables = super().measured(dataset, epochs)
        tables.search[:, 3] = np.nan
        return tables


@breaks("constructs")
class FailsToConstruct(Toy):
    def measured(self, dataset, epochs):
        return super().measured(dataset, {16: "final"}[epochs + 1])


@breaks("every_data_set_is_there")
class ForgetsWhichDataSet(Toy):
    def __init__(self, dataset: str = "small", *, epochs: int = 16, ordinals: str = "ordinal"):
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)
        self.dataset = "small"


@breaks("unknown_data_sets_are_refused")
class KeyErrorOfADataSet(Toy):
    def measured(self, dataset, epochs):
        return super().measured({"small": "small", "large": "large"}[dataset], epochs)

    def __init__(self, dataset: str = "small", *, epochs: int = 16, ordinals: str = "ordinal"):
        self.measured(dataset, epochs)
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)


@breaks("unknown_data_sets_are_refused")
class SaysNotWhatThereIs(Toy):
    def __init__(self, dataset: str = "small", *, epochs: int = 16, ordinals: str = "ordinal"):
        if dataset not in self.datasets:
            raise ArenaError("no such data set")
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)


@breaks("loading_gives_the_same")
class AddsNoise(Toy):
    def measured(self, dataset, epochs):
        tables = super().measured(dataset, epochs)
        return super().measured(dataset, epochs, seconds=tables.seconds + np.random.default_rng().random())


@breaks("options_make_the_same")
class ForgetsAnOption(Toy):
    def __init__(self, dataset: str = "small", *, epochs: int = 4, ordinals: str = "ordinal", halved: bool = True):
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)
        self.options = {"epochs": 4, "ordinals": ordinals, "halved": not halved}


@breaks("ordinals_can_be_opened")
class OpensNothing(Toy):
    def __init__(self, dataset: str = "small", *, epochs: int = 16, ordinals: str = "ordinal"):
        super().__init__(dataset, epochs=epochs, ordinals="ordinal")
        self.options = {"epochs": epochs, "ordinals": ordinals}


@breaks("checksums_are_sha256")
class ShortChecksum(Toy):
    def __init__(self, dataset: str = "small", *, epochs: int = 16, ordinals: str = "ordinal"):
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)
        self.checksums = {"toy.npz": "d41d8cd98f00b204e9800998ecf8427e"}


@breaks("tables_fit_the_space")
class TablesOfFloat32(Toy):
    def measured(self, dataset, epochs):
        tables = super().measured(dataset, epochs)
        return super().measured(dataset, epochs, search=tables.search.astype(np.float32))


@breaks("global_random_state_is_left_alone")
class SeedsNumpy(Toy):
    def measured(self, dataset, epochs):
        np.random.seed(len(dataset))  # noqa: NPY002
        return super().measured(dataset, epochs)


@breaks("global_random_state_is_left_alone")
class DrawsItsSeconds(Toy):
    def seconds(self, archs, fidelity=None):
        random.random()
        return super().seconds(archs, fidelity)


@breaks("lookups_have_the_shape_of_their_architectures")
class OneMoreAxis(Toy):
    def final_loss(self, archs):
        return np.atleast_1d(super().final_loss(archs))


@breaks("lookups_have_the_shape_of_their_architectures")
class FeasibleAsNumbers(Toy):
    def feasible(self, archs):
        return super().feasible(archs) * 1


@breaks("lookups_are_pure")
class KeepsItsAnswers(Toy):
    def final_loss(self, archs):
        answers = self.__dict__.setdefault("answers", {})
        return answers.setdefault(str(np.asarray(archs).tolist()), super().final_loss(archs))


@breaks("lookups_are_pure")
class SortsWhatItIsAsked(Toy):
    def search_loss_at(self, ranks, fidelity=None, noise=None):
        if np.ndim(ranks) == 1 and ranks.flags.writeable:
            ranks.sort()
        return super().search_loss_at(ranks, fidelity, noise)


@breaks("search_losses_are_numbers")
class NanWhereInfeasible(Toy):
    def search_loss_at(self, ranks, fidelity=None, noise=None):
        losses = super().search_loss_at(ranks, fidelity, noise)
        return np.where(np.isinf(losses), np.nan, losses)


@breaks("feasible_is_a_finite_loss")
class AllFeasible(Toy):
    def feasible(self, archs):
        return np.ones(np.shape(self.space.index(archs)), dtype=bool)


@breaks("final_losses_are_finite")
class NoFinalLossWhereInfeasible(Toy):
    def final_loss(self, archs):
        return self.tables.final.take(self.space.index(archs))


@breaks("regrets_begin_at_zero")
class RegretToTheMedian(Toy):
    @property
    def search_regret(self):
        return np.abs(super().search_regret - np.median(super().search_regret)) + 1


@breaks("seconds_are_known_for_all_or_none")
class FreeWhereInfeasible(Toy):
    def seconds_at(self, ranks, fidelity=None):
        return np.where(self.is_feasible.take(ranks), super().seconds_at(ranks, fidelity), 0.0)


@breaks("ranks_give_the_same")
class SecondsWithEvaluation(Toy):
    def seconds(self, archs, fidelity=None):
        return super().seconds(archs, fidelity) * 1.03


@breaks("noise_picks_recorded_trials")
class NormalNoise(Toy):
    def search_loss_at(self, ranks, fidelity=None, noise=None):
        if noise is None:
            return super().search_loss_at(ranks, fidelity)
        super().search_loss_at(ranks, fidelity, noise)
        return super().search_loss_at(ranks) + (noise - 0.5)


@breaks("noise_picks_recorded_trials")
class NoiseOfThreeTrials(Toy):
    def search_loss_at(self, ranks, fidelity=None, noise=None):
        if noise is None:
            return super().search_loss_at(ranks, fidelity)
        super().search_loss_at(ranks, fidelity, noise)
        picked = self.tables.trials[ranks, (noise * 3).astype(int)]
        return np.where(self.is_feasible.take(ranks), picked, np.inf)


@breaks("without_noise_losses_are_means_of_trials")
class FirstTrialForTheMean(Toy):
    def measured(self, dataset, epochs):
        tables = super().measured(dataset, epochs)
        first = np.where(np.isfinite(tables.search), tables.trials[:, 0], np.inf)
        return super().measured(dataset, epochs, search=first)


@breaks("noise_without_trials_is_refused")
class NoiseAtEveryFidelity(Toy):
    def search_loss_at(self, ranks, fidelity=None, noise=None):
        return super().search_loss_at(ranks, fidelity if noise is None else None, noise)


@breaks("fidelities_are_known")
class FidelityFromTheEnd(Toy):
    def _row(self, fidelity):
        return range(len(self.fidelities))[-1 if fidelity is None else fidelity % len(self.fidelities)]


@breaks("fidelities_are_known")
class LowestByDefault(Toy):
    def seconds(self, archs, fidelity=0):
        return super().seconds(archs, fidelity)

    def seconds_at(self, ranks, fidelity=0):
        return super().seconds_at(ranks, fidelity or 0)


@breaks("wrong_architectures_are_refused")
class RoundsArchitectures(Toy):
    def seconds(self, archs, fidelity=None):
        return super().seconds(np.asarray(archs).astype(int), fidelity)


@breaks("wrong_architectures_are_refused")
class WrapsAround(Toy):
    def metric(self, name, archs):
        return super().metric(name, np.asarray(archs) % SPACE.sizes if np.shape(archs)[-1:] == (3,) else archs)


@breaks("metrics_can_be_read")
class MetricsOfText(Toy):
    def measured(self, dataset, epochs):
        return super().measured(dataset, epochs, secondary={"cell": np.array(["a"] * SPACE.size)})


@breaks("metrics_can_be_read")
class MetricThatIsNotThere(Toy):
    @property
    def metrics(self):
        return (*super().metrics, "flops")


@breaks("landmarks_agree_with_the_losses")
class TargetOfTen(Toy):
    @property
    def landmarks(self):
        return {**super().landmarks, "target_count": 10}


@breaks("wording_is_complete")
class NoUnit(Toy):
    def words(self):
        return super().words(unit="")


@breaks("wording_is_complete")
class KindOfItsOwn(Toy):
    def words(self):
        return super().words(kind="both", reported="accuracy")


@breaks("nothing_else_is_called_test")
class ValidationCalledTest(Toy):
    def words(self):
        return super().words(kind="validation")


@breaks("nothing_else_is_called_test")
class SameNumberUnsaid(Toy):
    def measured(self, dataset, epochs):
        tables = super().measured(dataset, epochs)
        return super().measured(dataset, epochs, final=tables.search[1])


@breaks("description_can_be_written")
class OptionsOfNumpy(Toy):
    def __init__(self, dataset: str = "small", *, epochs: int = 16, ordinals: str = "ordinal"):
        super().__init__(dataset, epochs=epochs, ordinals=ordinals)
        self.options = {"epochs": np.int64(epochs), "ordinals": ordinals}
