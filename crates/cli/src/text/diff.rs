//! What changed between reports, for people.

use miyaburi_corpus::diff::{
    Change, ChangedItem, Changes, Comparison, ItemChanges, Outcome, PairedBy, Side,
};
use miyaburi_model::{
    Attack, AttackOption, Credential, Endpoint, Exploit, ExternalSource, LooseString, Probe,
    TableEntry, Verdict,
};
use serde::Serialize;
use serde_json::Value;

use super::attacks::{option, order, packet};
use super::escape;
use super::layout::{Page, Palette};
use super::report::{address, count, spelled, value};

/// Characters of a digest or body that are shown; all of it is in the JSON.
const SHOWN_CHARACTERS: usize = 32;

/// Renders the comparisons; the text ends with a line break.
pub(crate) fn diff(comparisons: &[Comparison], palette: Palette) -> String {
    let mut page = Page::new(palette);
    for comparison in comparisons {
        if let Some(changes) = &comparison.changes
            && comparison.result == Outcome::Different
        {
            header(&mut page, comparison, palette);
            show(&mut page, changes);
            page.line("");
        }
    }
    for (outcome, heading) in [
        (Outcome::NotCompared, "Not compared, since neither file was analysed"),
        (Outcome::OnlyInA, "Only in A"),
        (Outcome::OnlyInB, "Only in B"),
    ] {
        let of_kind = comparisons.iter().filter(|comparison| comparison.result == outcome);
        let rows: Vec<_> = of_kind.map(place_row).collect();
        if !rows.is_empty() {
            page.line(&palette.heading(heading));
            page.rows(&rows);
            page.line("");
        }
    }
    page.line(&summary(comparisons));
    page.finish()
}

/// How many pairs there are of each outcome.
fn summary(comparisons: &[Comparison]) -> String {
    let of = |outcome: Outcome| {
        comparisons.iter().filter(|comparison| comparison.result == outcome).count()
    };
    if let [only] = comparisons
        && only.result == Outcome::Same
    {
        let verdict = only.b.as_ref().map(|side| side.verdict.name()).unwrap_or_default();
        return format!("no difference ({verdict} in both)");
    }
    let mut facts = vec![
        count(of(Outcome::Different), "pair differs", "pairs differ"),
        format!("{} the same", of(Outcome::Same)),
    ];
    for (outcome, what) in [
        (Outcome::NotCompared, "not compared"),
        (Outcome::OnlyInA, "only in A"),
        (Outcome::OnlyInB, "only in B"),
    ] {
        if of(outcome) > 0 {
            facts.push(format!("{} {what}", of(outcome)));
        }
    }
    facts.join(", ")
}

fn header(page: &mut Page, comparison: &Comparison, palette: Palette) {
    let (Some(a), Some(b)) = (&comparison.a, &comparison.b) else { return };
    page.line(&palette.heading(&escape(&moved(&a.path, &b.path))));
    let cpu = |side: &Side| side.cpu.clone().unwrap_or("unknown CPU".to_owned());
    let mut facts = vec![moved(&cpu(a), &cpu(b)), moved(a.verdict.name(), b.verdict.name())];
    if a.sha256.is_some() && a.sha256 == b.sha256 {
        facts.push("same file".to_owned());
    }
    facts.extend(comparison.paired_by.map(paired_by));
    page.line(&format!("  {}", escape(&facts.join(" | "))));
    for (side, name) in [(a, "A"), (b, "B")] {
        match side.verdict {
            Verdict::Partial => {
                page.line(&format!("  {name} is partial: what it lacks need not be absent"));
            }
            Verdict::Failed | Verdict::Unsupported => {
                page.line(&format!("  {name} was not analysed: only verdicts are compared"));
            }
            Verdict::Config | Verdict::ExternalC2 | Verdict::NoConfig => {}
        }
    }
}

fn moved(a: &str, b: &str) -> String {
    if a == b { a.to_owned() } else { format!("{a} -> {b}") }
}

fn paired_by(how: PairedBy) -> String {
    match how {
        PairedBy::OnlyOnes => "the only ones",
        PairedBy::Sha256 => "paired by sha256",
        PairedBy::Name => "paired by name",
        PairedBy::Hashes => "paired by comparison hashes",
        PairedBy::StringTableHash => "paired by hash of the string table",
        PairedBy::CredentialsHash => "paired by hash of the credentials",
    }
    .to_owned()
}

fn place_row(comparison: &Comparison) -> [String; 3] {
    let sides = [&comparison.a, &comparison.b].map(Option::as_ref);
    let [path, verdict] =
        [|side: &Side| side.path.clone(), |side: &Side| side.verdict.name().to_owned()].map(|of| {
            match sides {
                [Some(a), Some(b)] => moved(&of(a), &of(b)),
                [one, other] => one.or(other).map(of).unwrap_or_default(),
            }
        });
    let sha256 = comparison
        .b
        .as_ref()
        .or(comparison.a.as_ref())
        .and_then(|side| side.sha256.as_ref().map(ToString::to_string));
    [path, verdict, sha256.unwrap_or_default()]
}

fn show(page: &mut Page, changes: &Changes) {
    let Changes { string_table: table, credentials, scan, .. } = changes;
    let mut part = Part::default();
    part.scalar("verdict", changes.verdict.as_ref());
    part.scalar("family", changes.family.as_ref());
    part.finish(page, "Verdict");

    part.items(&changes.endpoints, endpoint);
    part.items(&changes.external, external);
    part.finish(page, "Endpoints");

    part.scalar("found", table.found.as_ref());
    part.scalar("key", table.key.as_ref());
    part.scalar("effective key", table.effective_key.as_ref());
    part.scalar("cipher", table.cipher.as_ref());
    part.scalar("nonce", table.nonce.as_ref());
    part.scalar("comparison sha256", table.sha256.as_ref());
    part.items(&table.entries, entry);
    part.finish(page, "String table");

    part.items(&changes.strings, loose_string);
    part.finish(page, "Strings outside the table");

    part.scalar("found", credentials.found.as_ref());
    part.scalar("effective key", credentials.effective_key.as_ref());
    part.scalar("cipher", credentials.cipher.as_ref());
    part.scalar("comparison sha256", credentials.sha256.as_ref());
    part.items(&credentials.entries, credential);
    part.finish(page, "Credentials");

    part.attacks(&changes.attacks);
    part.finish(page, "Attacks");

    part.scalar("found", scan.found.as_ref());
    part.items(&scan.probes, probe);
    part.items(&scan.syn, |field| ["SYN".to_owned(), field.field.clone()]);
    part.items(&scan.exploits, exploit);
    part.finish(page, "Scanner");
}

/// The rows of one section: a sign, what it is about in two columns, and what changed about it.
#[derive(Default)]
struct Part {
    scalars: Vec<[String; 2]>,
    items: Vec<[String; 4]>,
}

impl Part {
    fn scalar<T: Serialize>(&mut self, name: &str, change: Option<&Change<T>>) {
        if let Some(Change { a, b }) = change {
            self.scalars.push([name.to_owned(), arrow(&json(a), &json(b))]);
        }
    }

    fn items<T: Serialize>(&mut self, items: &ItemChanges<T>, label: impl Fn(&T) -> [String; 2]) {
        let whole = |_: &T| String::new();
        self.rows(items, label, whole, |item| {
            let (a, b) = (json(&item.a), json(&item.b));
            let says_value = ["text", "port"].iter().any(|name| item.members.contains(name));
            let shown = item.members.iter().filter(|name| !(says_value && **name == "hex"));
            let members = shown.map(|name| {
                let member = |value: &Value| match value.get(name) {
                    Some(Value::String(text)) if *name == "text" => format!("\"{text}\"").into(),
                    other => other.cloned().unwrap_or_default(),
                };
                format!("{name} {}", arrow(&member(&a), &member(&b)))
            });
            members.collect::<Vec<_>>().join(", ")
        });
    }

    fn attacks(&mut self, attacks: &ItemChanges<Attack>) {
        let label = |attack: &Attack| [order(attack), kind(attack)];
        let options = |attack: &Attack| {
            let options: Vec<_> = attack.options.iter().map(option).collect();
            if options.is_empty() {
                String::new()
            } else {
                format!("options {}", options.join(", "))
            }
        };
        self.rows(attacks, label, options, changed_attack);
    }

    fn rows<T>(
        &mut self,
        items: &ItemChanges<T>,
        label: impl Fn(&T) -> [String; 2],
        whole: impl Fn(&T) -> String,
        changed: impl Fn(&ChangedItem<T>) -> String,
    ) {
        let mut row = |sign: &str, item: &T, remark: String| {
            let [what, which] = label(item);
            self.items.push([sign.to_owned(), what, which, remark]);
        };
        items.removed.iter().for_each(|item| row("-", item, whole(item)));
        items.added.iter().for_each(|item| row("+", item, whole(item)));
        items.changed.iter().for_each(|item| row("~", &item.a, changed(item)));
    }

    fn finish(&mut self, page: &mut Page, heading: &str) {
        let Self { scalars, items } = std::mem::take(self);
        if !scalars.is_empty() || !items.is_empty() {
            page.section(heading);
            page.rows(&scalars);
            page.rows(&items);
        }
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| Value::String(error.to_string()))
}

fn arrow(a: &Value, b: &Value) -> String {
    let show = |value: &Value| match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => shortened(text),
        other => other.to_string(),
    };
    format!("{} -> {}", show(a), show(b))
}

/// Digests and bodies are long, and their beginning tells them apart.
fn shortened(text: &str) -> String {
    let is_long_hex =
        text.len() > SHOWN_CHARACTERS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.get(..SHOWN_CHARACTERS) {
        Some(start) if is_long_hex => format!("{start}..."),
        _ => text.to_owned(),
    }
}

fn endpoint(endpoint: &Endpoint) -> [String; 2] {
    let url = endpoint.url.as_ref().map(|url| format!("  {url}")).unwrap_or_default();
    [spelled(&endpoint.role), address(endpoint) + &url]
}

fn external(source: &ExternalSource) -> [String; 2] {
    [format!("from {}", spelled(&source.source)), source.name.clone().unwrap_or_default()]
}

fn entry(entry: &TableEntry) -> [String; 2] {
    [format!("{:>3}  {}", entry.id, spelled(&entry.role)), value(entry)]
}

fn loose_string(string: &LooseString) -> [String; 2] {
    [spelled(&string.cipher), format!("\"{}\"", string.text)]
}

fn credential(pair: &Credential) -> [String; 2] {
    [format!("\"{}\"  \"{}\"", pair.user, pair.password), format!("weight {}", pair.weight)]
}

fn kind(attack: &Attack) -> String {
    attack.kind.clone().unwrap_or("kind unknown".to_owned())
}

fn probe(probe: &Probe) -> [String; 2] {
    let weight = probe.weight.map(|weight| format!("weight {weight}"));
    [format!("probes port {}", probe.port), weight.unwrap_or_default()]
}

fn exploit(exploit: &Exploit) -> [String; 2] {
    let port = exploit.port.map(|port| format!(" port {port}")).unwrap_or_default();
    let parts = [&exploit.method, &exploit.path].map(|part| part.clone().unwrap_or_default());
    let loader = exploit.loader.as_ref().map(|loader| format!("  loads {loader}"));
    [format!("exploits{port}"), parts.join(" ").trim().to_owned() + &loader.unwrap_or_default()]
}

fn changed_attack(item: &ChangedItem<Attack>) -> String {
    let ChangedItem { members, a, b } = item;
    let remarks = members.iter().map(|member| match *member {
        "options" => format!("options: {}", changed_options(&a.options, &b.options)),
        "packets" => {
            let sent = |attack: &Attack| match attack.packets.as_slice() {
                [] => "none".to_owned(),
                packets => packets.iter().map(packet).collect::<Vec<_>>().join(" and "),
            };
            format!("sends: {} -> {}", sent(a), sent(b))
        }
        "same_as" => format!("same as {:?} -> {:?}", a.same_as, b.same_as),
        "kind_method" => {
            let method = |attack: &Attack| json(&attack.kind_method);
            format!("kind method {}", arrow(&method(a), &method(b)))
        }
        _ => format!("kind {}", moved(&kind(a), &kind(b))),
    });
    remarks.collect::<Vec<_>>().join("; ")
}

fn changed_options(a: &[AttackOption], b: &[AttackOption]) -> String {
    let counterpart = |options: &[AttackOption], key: u32| {
        options.iter().find(|option| option.key == key).cloned()
    };
    let gone = a.iter().filter(|old| counterpart(b, old.key).is_none());
    let gone = gone.map(|old| format!("-{}", option(old)));
    let here = b.iter().filter_map(|new| match counterpart(a, new.key) {
        None => Some(format!("+{}", option(new))),
        Some(old) if old != *new => Some(moved(&option(&old), &option(new))),
        Some(_) => None,
    });
    gone.chain(here).collect::<Vec<_>>().join(", ")
}
