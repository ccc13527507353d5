//! `miyaburi plan`.

use miyaburi_intel::Planner;

use super::reading;
use crate::Status;
use crate::arguments::{PlanArguments, PlanFormat};
use crate::error::{CommandError, complain};
use crate::output::Output;

pub(crate) fn run(arguments: &PlanArguments) -> Result<Status, CommandError> {
    let observed = reading::observed(arguments.observed.as_ref())?;
    let mut planner = Planner::new(&observed, arguments.victim);
    if !reading::reports(&arguments.reports, |report| planner.add(report)) {
        return Ok(Status::SomethingFailed);
    }
    let plan = planner.finish();
    if plan.sections.is_empty() {
        complain(format_args!(
            "no report has packets of an attack to plan against; extract --no-observe leaves them out"
        ));
    }
    let document = match arguments.format {
        PlanFormat::Markdown => plan.markdown(),
        PlanFormat::Html => plan.html(),
    };
    Output::create(arguments.output.as_deref())?.write(&document)?;
    Ok(Status::Clean)
}
