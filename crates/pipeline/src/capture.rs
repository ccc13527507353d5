//! What attacks were seen to send, packet by packet.

use crate::compose::at;
use miyaburi_extractors::attacks::observation::Behaviour;
use miyaburi_model::Attack;

/// What one attack of a report sent when it was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// As [`Attack::vector`].
    pub vector: Option<u32>,
    /// As [`Attack::command`].
    pub command: Option<String>,
    /// The packets of each run, with other random numbers in each, in order and from the first byte
    /// of their IP headers. Addresses are of documentation networks.
    pub runs: Vec<Vec<Vec<u8>>>,
}

/// Captures of those attacks that sent anything.
pub(crate) fn captures_of(attacks: &[Attack], behaviours: &[Behaviour]) -> Vec<Capture> {
    let behaviour = |attack: &Attack| behaviours.iter().find(|it| at(it.handler) == attack.handler);
    let sent = attacks.iter().filter_map(|attack| Some((attack, &behaviour(attack)?.runs)));
    sent.filter(|(_, runs)| runs.iter().any(|packets| !packets.is_empty()))
        .map(|(attack, runs)| Capture {
            vector: attack.vector,
            command: attack.command.clone(),
            runs: runs.clone(),
        })
        .collect()
}
