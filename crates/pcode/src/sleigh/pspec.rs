//! Processor specifications: settings that go with a compiled specification.

use super::error::SpecificationError;

/// The settings of one processor specification, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// Context fields and their initial values.
    pub(super) context: Vec<(String, u64)>,
    /// Registers and the values that code can rely on.
    pub(super) tracked: Vec<(String, u64)>,
}

/// Reads the `context_data` of a `.pspec`.
pub(super) fn read(text: &str) -> Result<Settings, SpecificationError> {
    let document = roxmltree::Document::parse(text)
        .map_err(|error| SpecificationError::Xml(error.to_string()))?;
    let mut settings = Settings::default();
    let groups = document
        .root_element()
        .children()
        .filter(|node| node.has_tag_name("context_data"))
        .flat_map(|node| node.children());
    for group in groups {
        let entries = match group.tag_name().name() {
            "context_set" => &mut settings.context,
            "tracked_set" => &mut settings.tracked,
            _ => continue,
        };
        if group.has_attribute("first") || group.has_attribute("last") {
            let name = group.tag_name().name().to_owned();
            return Err(SpecificationError::Setting { name, problem: "for a part of memory" });
        }
        for set in group.children().filter(|node| node.has_tag_name("set")) {
            let name = set.attribute("name").unwrap_or_default().to_owned();
            match set.attribute("val").and_then(number) {
                Some(value) => entries.push((name, value)),
                None => return Err(SpecificationError::Setting { name, problem: "no number" }),
            }
        }
    }
    Ok(settings)
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn settings() {
        let text = r#"<processor_spec><properties/>
            <context_data>
              <context_set space="ram"><set name="a" val="1"/><set name="b" val="0x10"/></context_set>
              <tracked_set space="ram"><set name="FPSCR" val="0x40001"/></tracked_set>
            </context_data></processor_spec>"#;
        let settings = read(text).unwrap();
        assert_eq!(settings.context, [("a".to_owned(), 1), ("b".to_owned(), 16)]);
        assert_eq!(settings.tracked, [("FPSCR".to_owned(), 0x40001)]);
    }

    #[test]
    fn no_context_data_is_no_settings() {
        assert_eq!(read("<processor_spec/>").unwrap(), Settings::default());
    }

    #[test]
    fn damage_is_an_error() {
        assert!(matches!(read("<processor_spec>"), Err(SpecificationError::Xml(_))));
        let set = |inner: &str| read(&format!("<p><context_data>{inner}</context_data></p>"));
        assert!(set(r#"<context_set><set name="a" val="x"/></context_set>"#).is_err());
        assert!(set(r#"<context_set first="4"/>"#).is_err());
    }
}
