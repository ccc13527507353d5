//! `miyaburi behaviour`.

use miyaburi_confinement::Reach;
use miyaburi_hunting::behaviour::{Alert, Behaviours};

use super::logs::Logs;
use super::redact;
use crate::Status;
use crate::arguments::BehaviourArguments;
use crate::error::{CommandError, complain};
use crate::output::Output;

pub(crate) fn run(arguments: &BehaviourArguments) -> Result<Status, CommandError> {
    let mut output = Output::create(arguments.output.as_deref())?;
    let logs = Logs::collect(&arguments.logs, output.is_terminal())?;
    let pseudonyms = redact::pseudonyms(&arguments.redaction)?;
    let readable = arguments.logs.logs.iter().chain(&logs.files).cloned().collect();
    arguments.confinement.begin(&Reach { readable, writable: Vec::new() });
    let mut behaviours = Behaviours::default();
    let mut status = Status::Clean;
    for log in logs.in_order() {
        let mut alerts: Vec<Alert> = Vec::new();
        let is_whole = logs.read(&log, &mut |event, at| {
            behaviours.look(event, at, &mut |alert| alerts.push(alert));
        });
        for mut alert in alerts {
            pseudonyms.iter().for_each(|it| it.alert(&mut alert));
            output.write(&(serde_json::to_string(&alert)? + "\n"))?;
        }
        if !is_whole {
            status = Status::SomethingFailed;
        }
    }
    logs.finish();
    if behaviours.unwatched() > 0 {
        complain(format_args!("{} events not watched: too many entities", behaviours.unwatched()));
    }
    Ok(status)
}
