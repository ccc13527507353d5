//! `miyaburi dump`.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use miyaburi_analysis::Program;
use miyaburi_confinement::Reach;
use miyaburi_corpus::read_file;
use miyaburi_pcode::language_for;

use crate::Status;
use crate::arguments::{DumpArguments, DumpFormat, DumpStage, usage_error};
use crate::dump::{
    CallGraphDump, CodeDump, ConstantsDump, FunctionsDump, ImageDump, Scope, Source, Stage,
    write_json,
};
use crate::error::{CommandError, DumpError, complain};
use crate::loaded::image_of;
use crate::output::Output;

pub(crate) fn run(arguments: &DumpArguments) -> Result<Status, CommandError> {
    check(arguments);
    // Whoever looks into a stage wants to see where it crashed: the message is printed as well.
    let contained = catch_unwind(AssertUnwindSafe(|| dump(arguments)));
    contained.unwrap_or_else(|_| Err(failure(arguments, DumpError::Crash)))?;
    Ok(Status::Clean)
}

/// Ends the program for combinations without a meaning.
fn check(arguments: &DumpArguments) {
    let DumpArguments { stage, format, functions, .. } = arguments;
    let problem = if *stage == DumpStage::Image && !functions.is_empty() {
        "the stage image has no functions that --function could select"
    } else if *format == DumpFormat::Dot && *stage != DumpStage::Callgraph {
        "--format dot is for --stage callgraph"
    } else {
        return;
    };
    usage_error("dump", problem);
}

fn failure(arguments: &DumpArguments, error: impl Into<DumpError>) -> CommandError {
    CommandError::Dump { path: arguments.path.clone(), error: error.into() }
}

fn dump(arguments: &DumpArguments) -> Result<(), CommandError> {
    let bytes = read_file(&arguments.path).map_err(|error| failure(arguments, error))?;
    // Before the file is looked into: nothing can be opened from then on.
    let mut output = Output::create(arguments.output.as_deref())?;
    arguments.confinement.begin(&Reach::default());
    let image = image_of(&bytes, arguments.raw.memory());
    let image = image.map_err(|error| failure(arguments, error))?;
    let path = arguments.path.to_string_lossy();
    let diagnostics = image.diagnostics().iter().map(ToString::to_string).collect();
    let mut source = Source { path: &path, arch: image.arch(), cut: None, diagnostics };
    if arguments.stage == DumpStage::Image {
        return write(arguments, &source, &mut output, &ImageDump::new(&image));
    }
    let language = language_for(image.arch()).map_err(|error| failure(arguments, error))?;
    let program = Program::analyze(&image, language.as_ref());
    let program = program.map_err(|error| failure(arguments, error))?;
    let scope = Scope::new(&program, &arguments.functions);
    let scope = scope.map_err(|error| failure(arguments, error))?;
    source.cut = program.cut();
    source.diagnostics.extend(program.diagnostics().iter().map(ToString::to_string));
    if program.functions().is_empty() && source.cut.is_none() {
        source.diagnostics.push("no code was found".to_owned());
    }
    let cut = source.cut.map(|cut| cut.to_string());
    for problem in source.diagnostics.iter().chain(&cut) {
        complain(format!("{path}: {problem}"));
    }
    match arguments.stage {
        DumpStage::Image | DumpStage::Functions => {
            write(arguments, &source, &mut output, &FunctionsDump::new(&scope))
        }
        DumpStage::Disasm => write(arguments, &source, &mut output, &CodeDump::new(&scope, false)),
        DumpStage::Pcode => write(arguments, &source, &mut output, &CodeDump::new(&scope, true)),
        DumpStage::Callgraph if arguments.format == DumpFormat::Dot => {
            let graph = CallGraphDump::new(&scope);
            output.stream(|out| {
                write_cut(&source, "//", out)?;
                graph.write_dot(out)
            })
        }
        DumpStage::Callgraph => write(arguments, &source, &mut output, &CallGraphDump::new(&scope)),
        DumpStage::Constants => write(arguments, &source, &mut output, &ConstantsDump::new(&scope)),
    }
}

fn write(
    arguments: &DumpArguments,
    source: &Source<'_>,
    output: &mut Output,
    stage: &impl Stage,
) -> Result<(), CommandError> {
    output.stream(|out| match arguments.format {
        DumpFormat::Json => write_json(stage, source, out),
        DumpFormat::Text | DumpFormat::Dot => {
            write_cut(source, ";", out)?;
            stage.write_text(out)
        }
    })
}

/// Tells, as a comment, that what follows is not all.
fn write_cut(source: &Source<'_>, mark: &str, out: &mut dyn Write) -> io::Result<()> {
    match source.cut {
        Some(cut) => writeln!(out, "{mark} {cut}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Source, write_cut};
    use miyaburi_analysis::Cut;
    use miyaburi_image::Arch;

    #[test]
    fn text_says_that_it_is_not_all() {
        let text = |cut| {
            let arch = Arch::named("amd64").unwrap();
            let source = Source { path: "file", arch, cut, diagnostics: Vec::new() };
            let mut out = Vec::new();
            write_cut(&source, ";", &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(None), "");
        assert_eq!(text(Some(Cut::Steps)), "; the analysis was cut: its steps are spent\n");
        let functions = "; the analysis was cut: the file has more functions than are looked at\n";
        assert_eq!(text(Some(Cut::Functions)), functions);
    }
}
