//! `miyaburi behaviour`.

use miyaburi_confinement::Reach;
use miyaburi_hunting::behaviour::{Alert, Behaviours};

use super::logs;
use crate::Status;
use crate::arguments::BehaviourArguments;
use crate::error::{CommandError, complain};
use crate::output::Output;

pub(crate) fn run(arguments: &BehaviourArguments) -> Result<Status, CommandError> {
    let mut output = Output::create(arguments.output.as_deref())?;
    let logs = logs::collect(&arguments.logs)?;
    let readable = arguments.logs.logs.iter().chain(&logs).cloned().collect();
    arguments.confinement.begin(&Reach { readable, writable: Vec::new() });
    let mut behaviours = Behaviours::default();
    let mut status = Status::Clean;
    for log in logs::in_order(&arguments.logs, logs) {
        let mut alerts: Vec<Alert> = Vec::new();
        let is_whole = logs::read(&arguments.logs, &log, &mut |event, at| {
            behaviours.look(event, at, &mut |alert| alerts.push(alert));
        });
        for alert in alerts {
            output.write(&(serde_json::to_string(&alert)? + "\n"))?;
        }
        if !is_whole {
            status = Status::SomethingFailed;
        }
    }
    if behaviours.unwatched() > 0 {
        complain(format_args!("{} events not watched: too many entities", behaviours.unwatched()));
    }
    Ok(status)
}
