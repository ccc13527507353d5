//! Credentials that code puts together on the stack, pair by pair, before it calls what adds them.
//!
//! How it works: of a routine that is called again and again, two arguments must be texts of constants
//! in the frame ([`crate::loose_strings::on_stack`]) and one a small number. The order of the calls is
//! the order of the entries.
//!
//! False positives: another routine that is handed pairs of such texts with a number. False negatives:
//! lists that several routines fill, of which only the longest part is found; pairs of which a byte
//! is computed.

use crate::cipher::{Cipher, Coding};
use crate::credentials::{CredentialList, MAX_TEXT, MAX_WEIGHT, Pair};
use crate::loose_strings::on_stack::text_at;
use crate::stored;
use crate::subject::{Convention, RepeatedCall, Subject};
use miyaburi_analysis::{FunctionId, Value};
use miyaburi_image::Address;

/// Fewest pairs.
const MIN_PAIRS: usize = 5;

/// Arguments looked at.
const ARGUMENTS: usize = 4;

/// What a call hands over, as far as it counts.
#[derive(Clone, Debug)]
struct Call {
    site: Address,
    texts: [Option<Vec<u8>>; ARGUMENTS],
    numbers: [Option<u64>; ARGUMENTS],
}

/// Looks for the longest list.
pub fn largest(subject: &Subject<'_>) -> Option<CredentialList> {
    let groups = subject.repeated_calls(MIN_PAIRS);
    let conventions = subject.conventions();
    let lists = groups.iter().flat_map(|group| {
        conventions.iter().filter_map(move |convention| list_of(subject, group, convention))
    });
    // Of lists of one length, the first.
    lists.reduce(|best, other| if other.pairs.len() > best.pairs.len() { other } else { best })
}

fn list_of(
    subject: &Subject<'_>,
    group: &RepeatedCall,
    convention: &Convention,
) -> Option<CredentialList> {
    let caller = subject.program.function_at(group.function)?;
    let calls: Vec<Call> =
        group.sites.iter().map(|site| call(subject, convention, caller, *site)).collect();
    let mostly = |holds: &dyn Fn(&Call) -> bool| {
        calls.iter().filter(|call| holds(call)).count() * 10 >= calls.len() * 9
    };
    let mut texts = (0..ARGUMENTS)
        .filter(|index| mostly(&|call| call.texts.get(*index).is_some_and(Option::is_some)));
    let (user, password) = (texts.next()?, texts.next()?);
    let weight = (0..ARGUMENTS).find(|index| {
        let number = |call: &Call| call.numbers.get(*index).copied().flatten();
        let is_length = |call: &Call| {
            let length = |index: usize| Some(call.texts.get(index)?.as_ref()?.len() as u64);
            number(call) == length(user) || number(call) == length(password)
        };
        mostly(&|call| number(call).is_some_and(|it| (1..=MAX_WEIGHT).contains(&it)))
            && !mostly(&is_length)
    })?;
    let mut unread = Vec::new();
    let mut pairs = Vec::new();
    for call in &calls {
        let text = |index: usize| call.texts.get(index).cloned().flatten();
        let number = call.numbers.get(weight).copied().flatten();
        match (text(user), text(password), number) {
            (Some(user), Some(password), Some(weight)) => {
                pairs.push(Pair { user, password, weight: weight as u32, added_at: call.site });
            }
            _ => unread.push(call.site),
        }
    }
    let has_user = pairs.iter().filter(|pair| !pair.user.is_empty()).count();
    let is_list = pairs.len() >= MIN_PAIRS && has_user * 10 >= pairs.len() * 9;
    (is_list && !are_stored(subject, &pairs)).then(|| CredentialList {
        initialiser: group.function,
        adder: Some(group.callee),
        scanner: group.function,
        coding: Coding::of(Cipher::StackString),
        pairs,
        unread,
    })
}

/// Whether the texts stand in the file, so that they were only copied to the stack.
fn are_stored(subject: &Subject<'_>, pairs: &[Pair]) -> bool {
    let terminated: Vec<Vec<u8>> = pairs
        .iter()
        .flat_map(|pair| [&pair.user, &pair.password])
        .filter(|text| text.len() > 4)
        .map(|text| [text.as_slice(), &[0]].concat())
        .collect();
    let texts: Vec<&[u8]> = terminated.iter().map(Vec::as_slice).collect();
    stored::standing(subject.image, &texts).len() * 4 > texts.len()
}

fn call(subject: &Subject<'_>, convention: &Convention, caller: FunctionId, site: Address) -> Call {
    let value = |index| subject.argument(convention, caller, site, index);
    let text = |index| match value(index) {
        Value::StackOffset(offset) => {
            let (mut text, _) = text_at(subject, caller, site, offset)?;
            text.pop();
            let is_text = text.iter().all(|byte| (0x20..0x7f).contains(byte));
            (is_text && text.len() <= MAX_TEXT).then_some(text)
        }
        _ => None,
    };
    Call {
        site,
        texts: std::array::from_fn(text),
        numbers: std::array::from_fn(|index| value(index).constant()),
    }
}
