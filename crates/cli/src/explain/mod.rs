//! The evidence of a report as a story, with the code it speaks of.

mod story;

use std::panic::{AssertUnwindSafe, catch_unwind};

use miyaburi_analysis::Program;
use miyaburi_image::{Address, RawMemory};
use miyaburi_model::Report;
use miyaburi_pcode::language_for;

use crate::dump::{Scope, listing};
use crate::error::DumpError;
use crate::loaded::image_of;
use crate::text::{Palette, escape};

use story::{Story, stories};

/// Explains the values of `report`, which is that of `file`, an ELF file unless it is `raw`; empty
/// when there is nothing to explain.
pub(crate) fn explain(
    report: &Report,
    file: &[u8],
    raw: Option<RawMemory>,
    palette: Palette,
) -> Result<String, DumpError> {
    let stories = stories(report);
    if stories.is_empty() {
        return Ok(String::new());
    }
    let contained = catch_unwind(AssertUnwindSafe(|| tell(file, raw, &stories, palette)));
    contained.unwrap_or(Err(DumpError::Crash))
}

fn tell(
    file: &[u8],
    raw: Option<RawMemory>,
    stories: &[Story],
    palette: Palette,
) -> Result<String, DumpError> {
    let image = image_of(file, raw)?;
    let language = language_for(image.arch())?;
    let program = Program::analyze(&image, language.as_ref())?;
    let scope = Scope::new(&program, &[])?;
    let mut text = format!("\n{}\n", palette.heading("Why"));
    for story in stories {
        text.push_str(&told(story, &scope));
    }
    Ok(text)
}

fn told(story: &Story, scope: &Scope<'_>) -> String {
    let mut text = format!("\n  {}\n", escape(&story.about));
    for (number, step) in story.steps.iter().enumerate() {
        text.push_str(&format!("    {}. {}\n", number + 1, escape(&step.says)));
        for line in listing(scope, Address(step.at.0)) {
            text.push_str(&format!("         {}\n", escape(&line)));
        }
    }
    text
}
