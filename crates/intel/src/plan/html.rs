//! A plan as one HTML document: no scripts, nothing loaded from elsewhere, every text escaped by the
//! template engine.

use maud::{DOCTYPE, Markup, html};

use super::drawing::{drawing, origin, summary};
use super::{Cite, Handler, Measure, PacketShape, Plan, Section, Statement};

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;vertical-align:top}\
pre{background:#f4f4f4;padding:.5rem;overflow-x:auto}svg{max-width:44rem;display:block;margin:1rem 0}\
rect{stroke:#555;fill:#fff}text{font-size:11px;text-anchor:middle}code{overflow-wrap:anywhere}\
.fixed rect,td.fixed{fill:#b7e1b9;background:#b7e1b9}.default rect,td.default{fill:#ffe9a8;background:#ffe9a8}\
.given rect,td.given{fill:#cfe0ff;background:#cfe0ff}.random rect,td.random{fill:#eee;background:#eee}";

pub(super) fn render(plan: &Plan) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Defence against observed attacks" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { "Defence against observed attacks" }
                p { (super::markdown::counted(plan)) }
                p { (super::markdown::NOTE) }
                (overview(plan))
                @for section in &plan.sections { (one(section)) }
                @if !plan.unobserved.is_empty() {
                    h2 { "Attacks without packets" }
                    p { "No packet of these was seen, so nothing is planned against them." }
                    ul {
                        @for handler in &plan.unobserved { li { (place(handler)) } }
                        @if plan.more_unobserved > 0 { li { "and " (plan.more_unobserved) " more" } }
                    }
                }
            }
        }
    };
    document.into_string()
}

fn overview(plan: &Plan) -> Markup {
    html! {
        table {
            tr { th { "attack" } th { "configurations" } th { "source" } th { "measures" } }
            @for section in &plan.sections {
                tr {
                    td { (section.kind) }
                    td { (section.tally.configurations) }
                    td { (super::markdown::trust(section)) }
                    td { (section.measures.iter().map(|measure| measure.name).collect::<Vec<_>>().join("; ")) }
                }
            }
        }
    }
}

fn one(section: &Section) -> Markup {
    html! {
        h2 { (section.kind) }
        p { (super::markdown::met(section)) }
        h3 { "Seen in" }
        ul {
            @for handler in &section.handlers { li { (place(handler)) } }
            @if section.more_handlers > 0 { li { "and " (section.more_handlers) " more" } }
        }
        h3 { "What the packets look like" }
        @for shape in &section.packets { (packet(shape)) }
        h3 { "Source" }
        (statement(&section.source))
        h3 { "What to prepare" }
        @for measure in &section.measures { (prepared(measure)) }
    }
}

fn place(handler: &Handler) -> Markup {
    html! {
        @if !handler.order.is_empty() { "vector " code { (handler.order) } ", " }
        "handler " code { (handler.address) } " in "
        @match &handler.sha256 {
            Some(sha256) => code { (sha256) },
            None => "a file without digest",
        }
    }
}

fn packet(shape: &PacketShape) -> Markup {
    html! {
        h4 { (shape.layers.join(" / ")) }
        (drawing(shape))
        table {
            tr { th { "field" } th { "origin" } th { "values (handlers)" } th { "changed by" } }
            @for field in &shape.fields {
                tr {
                    td { code { (field.name) } }
                    td class=(origin(field.origin)) { (origin(field.origin)) }
                    td { (summary(field)) }
                    td { (field.options.iter().cloned().collect::<Vec<_>>().join(", ")) }
                }
            }
        }
    }
}

fn statement(statement: &Statement) -> Markup {
    html! {
        p {
            (statement.text)
            @if !statement.fields.is_empty() { " Read from " (statement.fields.join(", ")) "." }
            @for cite in &statement.cites { " " (document(cite)) }
        }
    }
}

fn document(cite: &Cite) -> Markup {
    html! { a href=(cite.url) title=(cite.about) { "[" (cite.name) "]" } }
}

fn prepared(measure: &Measure) -> Markup {
    html! {
        h4 { (measure.name) }
        (statement(&measure.catches))
        p { b { "By mistake: " } }
        (statement(&measure.mistakes))
        p { b { "Operators override it with: " } (super::markdown::overridden(measure)) }
        @for command in &measure.commands {
            p { (command.tool) }
            pre { code { (command.text) } }
        }
    }
}
