//! What a worker tells its parent: one line before a case and one after it.

use crate::case::{CaseId, Cost};
use std::time::Duration;

/// A line of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// This case begins.
    At(CaseId),
    /// It was fine.
    Fine(CaseId, Cost),
    /// It was not, for this reason.
    Failed(CaseId, Cost, String),
    /// There are no more.
    End,
}

impl Line {
    /// The line as text, without its end.
    pub(crate) fn to_text(&self) -> String {
        let cost = |cost: &Cost| {
            let Cost { time, peak, verdict, is_cut } = cost;
            format!("{} {peak} {verdict} {is_cut}", time.as_micros())
        };
        match self {
            Self::At(case) => format!("at {case}"),
            Self::Fine(case, spent) => format!("fine {case} {}", cost(spent)),
            Self::Failed(case, spent, reason) => {
                format!("failed {case} {} {}", cost(spent), reason.replace('\n', " "))
            }
            Self::End => "end".to_owned(),
        }
    }

    /// Reads a line; `None` for what no worker writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let kind = words.next()?;
        if kind == "end" {
            return Some(Self::End);
        }
        let case: CaseId = words.next()?.parse().ok()?;
        if kind == "at" {
            return Some(Self::At(case));
        }
        let cost = Cost {
            time: Duration::from_micros(words.next()?.parse().ok()?),
            peak: words.next()?.parse().ok()?,
            verdict: words.next()?.to_owned(),
            is_cut: words.next()?.parse().ok()?,
        };
        match kind {
            "fine" => Some(Self::Fine(case, cost)),
            "failed" => Some(Self::Failed(case, cost, words.collect::<Vec<_>>().join(" "))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let cost = Cost {
            time: Duration::from_micros(5),
            peak: 7,
            verdict: "partial".to_owned(),
            is_cut: true,
        };
        let lines = [
            Line::At(CaseId::File(3)),
            Line::Fine(CaseId::Code(9), cost.clone()),
            Line::Failed(CaseId::File(4), cost, "a panic at x.rs:1".to_owned()),
            Line::End,
        ];
        for line in lines {
            assert_eq!(Line::parse(&line.to_text()), Some(line));
        }
        assert_eq!(Line::parse("fine file:1 oops"), None);
    }
}
