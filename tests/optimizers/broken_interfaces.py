"""Optimizers whose interface breaks the contract, each in one way."""

import numpy as np
from right_optimizers import PBIL, HillClimber, OfCategoriesAlone, breaks


@breaks("signature")
class SettingWithoutAnnotation(HillClimber):
    def __init__(self, space, seeds, *, restart=0.1, stream=0):
        super().__init__(space, seeds, restart=restart, stream=stream)


@breaks("signature")
class SettingByPosition(HillClimber):
    def __init__(self, space, seeds, restart: float = 0.1, stream=0):
        super().__init__(space, seeds, restart=restart, stream=stream)


@breaks("signature")
class DefaultOfAnotherType(HillClimber):
    def __init__(self, space, seeds, *, restart: int = 0.1, stream=0):
        super().__init__(space, seeds, restart=restart, stream=stream)


@breaks("signature")
class AnnotationThatDoesNotExist(HillClimber):
    def __init__(self, space, seeds, *, restart: "Share" = 0.1, stream=0):  # noqa: F821
        super().__init__(space, seeds, restart=restart, stream=stream)


@breaks("signature")
class AnySettings(HillClimber):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)


@breaks("attributes")
class VersionOfText(HillClimber):
    version = "1.0"


@breaks("attributes")
class NoWordForItsRecommendation(PBIL):
    recommends = ""


@breaks("constructs")
class SeedsKeptAsGiven(HillClimber):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.seeds = seeds


@breaks("constructs")
class FailsToConstruct(HillClimber):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.first = space.names[0]


@breaks("wrong_seeds_are_refused")
class LooksAtSeedsTooEarly(HillClimber):
    def __init__(self, space, seeds, *, stream=0):
        self.first = min(seeds)
        super().__init__(space, seeds, stream=stream)


@breaks("ask_gives_architectures")
class Int32(HillClimber):
    def _ask(self):
        return super()._ask().astype(np.int32)


@breaks("ask_gives_architectures")
class NoAxisOfTheBatch(HillClimber):
    def _ask(self):
        return super()._ask()[0]


@breaks("ask_gives_architectures")
class OutOfRangeByOne(HillClimber):
    def _ask(self):
        return np.rint(self.uniforms()[None, :-2] * self.space.sizes[:, None]).astype(np.int64)


@breaks("ask_gives_architectures")
class OtherMemoryOrder(HillClimber):
    def ask(self):
        return np.asfortranarray(super().ask())


@breaks("recommend_gives_architectures")
class RecommendsSeedsFirst(PBIL):
    def _recommend(self):
        return self.theta.argmax(axis=0).T


@breaks("recommend_gives_architectures")
class CountsFromOne(PBIL):
    def _recommend(self):
        return self.theta.argmax(axis=0) + 1


@breaks("diagnostics_lead_with_seeds")
class DiagnosticOverAllSeeds(PBIL):
    def _diagnostics(self):
        return {"largest_probability": self.theta.max(axis=0).mean()}


@breaks("diagnostics_lead_with_seeds")
class DiagnosticThatComesLater(PBIL):
    def _diagnostics(self):
        return super()._diagnostics() if self.told.any() else {}


@breaks("probabilities_are_distributions")
class SumsToMoreThanOne(PBIL):
    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        self.theta = np.where(self.theta > 0, np.maximum(self.theta, 0.1), 0)


@breaks("probabilities_are_distributions")
class MassBeyondTheValues(PBIL):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.theta = np.full(self.theta.shape, 1 / len(self.theta))


@breaks("state_leads_with_seeds")
class StateOverAllSeeds(PBIL):
    def _state(self):
        return {**super()._state(), "told": self.told.mean()}


@breaks("state_leads_with_seeds")
class StateOfLists(HillClimber):
    def state_dict(self):
        return {**super().state_dict(), "losses": self.best.loss.tolist()}


@breaks("second_ask_is_refused")
class AsksTwice(HillClimber):
    def ask(self):
        self._asked = None
        return super().ask()


@breaks("tell_without_ask_is_refused")
class ForgivesTellWithoutAsk(HillClimber):
    def tell(self, archs, losses):
        if self._asked is not None:
            super().tell(archs, losses)


@breaks("other_architectures_are_refused")
class LooksAtLossesAlone(HillClimber):
    def tell(self, archs, losses):
        super().tell(archs if self._asked is None else self._asked, losses)


@breaks("other_architectures_are_refused")
class FooledByItsOwnArray(HillClimber):
    def ask(self):
        super().ask()
        return self._asked


@breaks("wrong_losses_are_refused")
class OneLossForAll(HillClimber):
    def tell(self, archs, losses):
        super().tell(archs, losses if np.size(losses) > 1 else np.full(archs.shape[:2], losses))


@breaks("state_before_tell_is_refused")
class StateAtAnyTime(HillClimber):
    def state_dict(self):
        state = {name: self._outward(values) for name, values in self._state().items()}
        return {"position": self.streams.position, **state}


@breaks("ordinals_are_refused")
class TakesOrdinalsAllTheSame(OfCategoriesAlone):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space.opened(), seeds, stream=stream)


@breaks("ordinals_are_searched")
class CategoriesAloneUnsaid(HillClimber):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.choices = [variable.choices for variable in space.variables]


@breaks("reading_changes_nothing")
class DrawsToRecommend(PBIL):
    def _recommend(self):
        ties = self.theta * (1 + 1e-9 * self.streams.draw(*self.theta.shape[:2]))
        return ties.argmax(axis=0)


@breaks("reading_changes_nothing")
class SavingRestarts(PBIL):
    def _state(self):
        state = super()._state()
        self.told = np.zeros(self.columns)
        return state
