//! What is drawn at random during a run, decided from here.

use super::calls::CallDraws;
use super::words::{Survey, WordDraws};
use miyaburi_emulator::{CallAction, Region, State, WatchedAccess};
use miyaburi_image::Address;

/// How a run's draws are decided, or looked for.
#[derive(Clone, Debug)]
pub(in crate::probes) enum Draws {
    /// A call is answered.
    Calls(CallDraws),
    /// Words of memory are set.
    Words(WordDraws),
    /// Nothing yet: words are looked for.
    Survey(Survey),
}

impl Draws {
    /// What is done at a call; `None` when that is somebody else's matter.
    pub(in crate::probes) fn at_call(
        &mut self,
        site: Address,
        callee: Address,
    ) -> Option<CallAction> {
        match self {
            Self::Calls(draws) => draws.at_call(site, callee),
            Self::Words(draws) => draws.is_done().then_some(CallAction::Stop),
            Self::Survey(_) => None,
        }
    }

    /// The memory that is watched.
    pub(in crate::probes) fn regions(&self) -> Vec<Region> {
        match self {
            Self::Calls(_) => Vec::new(),
            Self::Words(draws) => draws.regions(),
            Self::Survey(survey) => survey.regions(),
        }
    }

    /// At an access to that memory.
    pub(in crate::probes) fn accessed(
        &mut self,
        state: &mut State<'_>,
        site: Address,
        access: &WatchedAccess,
    ) {
        match self {
            Self::Calls(_) => {}
            Self::Words(draws) => draws.accessed(state, site, access),
            Self::Survey(survey) => survey.accessed(access),
        }
    }

    /// A destination was written.
    pub(in crate::probes) fn is_accepted(&mut self, state: &mut State<'_>) {
        match self {
            Self::Calls(draws) => draws.is_accepted(),
            Self::Words(draws) => draws.is_accepted(),
            Self::Survey(survey) => survey.is_accepted(state),
        }
    }
}
