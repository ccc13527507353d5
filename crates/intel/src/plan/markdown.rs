//! A plan as Markdown. What comes out of reports is escaped to character references, so that it can
//! be neither markup nor HTML.

use std::fmt::Write;

use super::drawing::{origin, summary};
use super::{Handler, Measure, PacketShape, Plan, Section, Statement};

/// What holds for every command.
pub(super) const NOTE: &str = "Values marked default can be changed by operators at any time, values marked fixed not without a new build; only the latter are matched. Commands are limits to begin with: put in the victim's usual rates, try them in a counting or logging form first, and take them back after the attack. The nftables rules go into a chain forward of a table inet filter that must exist.";

/// The plan as Markdown.
pub(super) fn render(plan: &Plan) -> String {
    let mut text = String::from("# Defence against observed attacks\n\n");
    line(&mut text, &format!("{}\n", counted(plan)));
    line(&mut text, &format!("{NOTE}\n"));
    line(&mut text, "| attack | configurations | source | measures |\n|---|---|---|---|");
    for section in &plan.sections {
        let measures: Vec<_> = section.measures.iter().map(|measure| measure.name).collect();
        let (kind, number) = (escaped(&section.kind), section.tally.configurations);
        line(
            &mut text,
            &format!("| {kind} | {number} | {} | {} |", trust(section), measures.join("; ")),
        );
    }
    plan.sections.iter().for_each(|section| one(&mut text, section));
    if !plan.unobserved.is_empty() {
        line(
            &mut text,
            "\n## Attacks without packets\n\nNo packet of these was seen, so nothing is planned against them.\n",
        );
        plan.unobserved
            .iter()
            .for_each(|handler| line(&mut text, &format!("- {}", place(handler))));
        if plan.more_unobserved > 0 {
            line(&mut text, &format!("- and {} more", plan.more_unobserved));
        }
    }
    text
}

fn line(text: &mut String, line: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "{line}");
}

/// How much the plan rests on.
pub(super) fn counted(plan: &Plan) -> String {
    format!("Of {} reports, {} configurations hold attacks.", plan.reports, plan.configurations)
}

/// How often a kind of attack was met, and when.
pub(super) fn met(section: &Section) -> String {
    let tally = &section.tally;
    let seen = match &tally.seen {
        Some(seen) => format!(", seen from {} to {}", seen.first, seen.last),
        None => String::new(),
    };
    format!("{} configurations, {} files{seen}.", tally.configurations, tally.files)
}

/// Whether sources can be trusted, in a few words.
pub(super) fn trust(section: &Section) -> &'static str {
    let forged = section.packets.iter().filter(|shape| shape.spoofable).count();
    match forged {
        0 => "real",
        number if number == section.packets.len() => "can be forged",
        _ => "real for connections, else can be forged",
    }
}

/// What operators set to get around a measure.
pub(super) fn overridden(measure: &Measure) -> String {
    match measure.overridden_by.is_empty() {
        true => "no option that was seen.".to_owned(),
        false => format!("{}.", measure.overridden_by.join(", ")),
    }
}

fn one(text: &mut String, section: &Section) {
    line(text, &format!("\n## {}\n\n{}\n", escaped(&section.kind), met(section)));
    line(text, "### Seen in\n");
    section.handlers.iter().for_each(|handler| line(text, &format!("- {}", place(handler))));
    if section.more_handlers > 0 {
        line(text, &format!("- and {} more", section.more_handlers));
    }
    line(text, "\n### What the packets look like");
    section.packets.iter().for_each(|shape| packet(text, shape));
    line(text, &format!("\n### Source\n\n{}", statement(&section.source)));
    line(text, "\n### What to prepare");
    section.measures.iter().for_each(|measure| prepared(text, measure));
}

fn place(handler: &Handler) -> String {
    let order = match handler.order.as_str() {
        "" => String::new(),
        order => format!("vector {}, ", escaped(order)),
    };
    let file =
        handler.sha256.as_ref().map_or("a file without digest".to_owned(), ToString::to_string);
    format!("{order}handler {} in {file}", handler.address)
}

fn packet(text: &mut String, shape: &PacketShape) {
    let layers: Vec<_> = shape.layers.iter().map(|layer| escaped(layer)).collect();
    line(text, &format!("\n{}\n", layers.join(" / ")));
    line(text, "| field | origin | values (handlers) | changed by |\n|---|---|---|---|");
    for field in &shape.fields {
        let options: Vec<_> = field.options.iter().map(|option| escaped(option)).collect();
        let (name, values) = (escaped(&field.name), escaped(&summary(field)));
        let origin = origin(field.origin);
        line(text, &format!("| {name} | {origin} | {values} | {} |", options.join(", ")));
    }
}

fn statement(statement: &Statement) -> String {
    let mut text = escaped(&statement.text);
    if !statement.fields.is_empty() {
        let fields: Vec<_> = statement.fields.iter().map(|field| escaped(field)).collect();
        text.push_str(&format!(" Read from {}.", fields.join(", ")));
    }
    for cite in &statement.cites {
        text.push_str(&format!(" [{}]({})", cite.name, cite.url));
    }
    text
}

fn prepared(text: &mut String, measure: &Measure) {
    line(text, &format!("\n#### {}\n\n{}\n", measure.name, statement(&measure.catches)));
    line(text, &format!("By mistake: {}\n", statement(&measure.mistakes)));
    line(text, &format!("Operators override it with: {}", escaped(&overridden(measure))));
    for command in &measure.commands {
        line(text, &format!("\n{}:\n\n```\n{}\n```", command.tool, command.text));
    }
}

/// `text` with everything that is not a letter, a digit, a blank or harmless punctuation as a
/// character reference; an underscore within a word is harmless. What is not ASCII becomes its code
/// point.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut is_in_word = false;
    while let Some(character) = characters.next() {
        let next_in_word = characters.peek().is_some_and(char::is_ascii_alphanumeric);
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => escaped.push(character),
            ' ' | '.' | ',' | ':' | ';' | '/' | '(' | ')' | '?' | '\'' => escaped.push(character),
            '_' if is_in_word && next_in_word => escaped.push('_'),
            '!'..='~' => escaped.push_str(&format!("&#{};", u32::from(character))),
            _ => escaped.push_str(&format!("U+{:04X}", u32::from(character))),
        }
        is_in_word = character.is_ascii_alphanumeric();
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_is_left_that_markdown_or_html_knows() {
        let text = escaped("|`*_[x](y)<script>&#\n\u{202e}\\~#-");
        assert_eq!(
            text,
            "&#124;&#96;&#42;&#95;&#91;x&#93;(y)&#60;script&#62;&#38;&#35;U+000AU+202E&#92;&#126;&#35;&#45;"
        );
        assert_eq!(escaped("ip.ttl: 64 (3), random"), "ip.ttl: 64 (3), random");
        assert_eq!(escaped("dns_query's _x_ a__b"), "dns_query's &#95;x&#95; a&#95;&#95;b");
    }
}
