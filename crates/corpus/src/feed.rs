//! From inputs to the files to analyse: what archives hold takes their place.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;

use miyaburi_archives::{Format, MemberError, Options, walk};

use crate::read::{ReadError, read};
use crate::run::Window;
use crate::{Input, Origin};

/// One file to analyse.
pub(crate) struct Task {
    /// Its place among all files.
    pub index: usize,
    /// Index of the input that it came from.
    pub input: usize,
    /// Who brought it in: members of archives were met there.
    pub origin: Origin,
    /// Its name in the report.
    pub name: String,
    /// Its bytes.
    pub content: Result<Vec<u8>, ReadError>,
    /// Why these are not all of its bytes, where they are not.
    pub cut: Option<MemberError>,
}

/// Reads `inputs` in order and sends on what is to be analysed, until nobody wants it.
pub(crate) fn feed(
    inputs: &[Input],
    options: &Options,
    window: &Window,
    sender: &SyncSender<Task>,
) {
    let mut feeder = Feeder { window, sender, index: 0 };
    for (number, input) in inputs.iter().enumerate() {
        if feeder.input(number, input, options).is_break() {
            return;
        }
    }
}

struct Feeder<'a> {
    window: &'a Window,
    sender: &'a SyncSender<Task>,
    index: usize,
}

impl Feeder<'_> {
    fn input(&mut self, number: usize, input: &Input, options: &Options) -> ControlFlow<()> {
        let name = input.name();
        let bytes = match read(input) {
            Ok(bytes) => bytes,
            Err(error) => return self.whole(number, input.origin, name, Err(error)),
        };
        if !options.carve && Format::of(&bytes).is_none() {
            return self.whole(number, input.origin, name, Ok(bytes));
        }
        let mut flow = ControlFlow::Continue(());
        let contained = catch_unwind(AssertUnwindSafe(|| {
            walk(&name, bytes, options, &mut |member| {
                let content = member.content.map_err(ReadError::Member);
                let (name, cut) = (member.name, member.cut);
                let (input, origin) = (number, Origin::Met);
                flow = self.send(Task { index: self.index, input, origin, name, content, cut });
                flow
            });
        }));
        match contained {
            Ok(()) => flow,
            Err(_) => self.whole(number, input.origin, name, Err(ReadError::Crash)),
        }
    }

    fn whole(
        &mut self,
        input: usize,
        origin: Origin,
        name: String,
        content: Result<Vec<u8>, ReadError>,
    ) -> ControlFlow<()> {
        self.send(Task { index: self.index, input, origin, name, content, cut: None })
    }

    fn send(&mut self, task: Task) -> ControlFlow<()> {
        if self.window.admits(self.index) && self.sender.send(task).is_ok() {
            self.index += 1;
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}
