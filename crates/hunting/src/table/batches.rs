//! Rows as Arrow record batches.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt16Array, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use miyaburi_model::Protocol;

use super::Row;
use crate::event::Outcome;

/// Rows of a batch at most.
const ROWS: usize = 1 << 16;

/// Bytes of texts after which a batch is enough: hostile logs have lines of a megabyte.
const BYTES: usize = 1 << 26;

/// The time zone of times, as Arrow names it.
const UTC: &str = "UTC";

/// The schema of all batches: a column for each field of [`Row`], in its order and with its name. Addresses
/// are texts, so are words; what a record does not say is null.
#[must_use]
pub fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
    let columns = [
        ("time", time, true),
        ("event", DataType::Utf8, false),
        ("client", DataType::Utf8, true),
        ("server", DataType::Utf8, true),
        ("port", DataType::UInt16, true),
        ("protocol", DataType::Utf8, true),
        ("name", DataType::Utf8, true),
        ("url", DataType::Utf8, true),
        ("account", DataType::Utf8, true),
        ("host", DataType::Utf8, true),
        ("outcome", DataType::Utf8, true),
        ("packets", DataType::UInt64, true),
        ("bytes", DataType::UInt64, true),
        ("file", DataType::Utf8, false),
        ("offset", DataType::UInt64, false),
    ];
    let fields = columns.map(|(name, kind, may_be_null)| Field::new(name, kind, may_be_null));
    Arc::new(Schema::new(fields.to_vec()))
}

/// Rows until there are enough for a batch.
#[derive(Debug, Default)]
pub struct Batches {
    rows: Vec<Row>,
    bytes: usize,
}

impl Batches {
    /// Adds a row; true when there are enough for a [`take`](Self::take).
    pub fn push(&mut self, row: Row) -> bool {
        let texts = [&row.name, &row.url, &row.account, &row.host];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        self.bytes += texts + row.file.len();
        self.rows.push(row);
        self.rows.len() >= ROWS || self.bytes >= BYTES
    }

    /// The rows since the last one; none when there are none.
    ///
    /// # Errors
    /// When Arrow refuses them.
    pub fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let rows = core::mem::take(self).rows;
        if rows.is_empty() {
            return Ok(None);
        }
        let texts = |of: fn(&Row) -> Option<&str>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<StringArray>())
        };
        let numbers = |of: fn(&Row) -> Option<u64>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<UInt64Array>())
        };
        let hosts = |of: fn(&Row) -> Option<core::net::IpAddr>| -> ArrayRef {
            let hosts = rows.iter().map(|row| of(row).map(|host| host.to_string()));
            Arc::new(hosts.collect::<StringArray>())
        };
        let times = rows.iter().map(|row| row.time.map(|time| time.0));
        let columns = vec![
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone(UTC)) as ArrayRef,
            texts(|row| Some(row.event.name())),
            hosts(|row| row.client),
            hosts(|row| row.server),
            Arc::new(rows.iter().map(|row| row.port).collect::<UInt16Array>()),
            texts(|row| row.protocol.map(protocol)),
            texts(|row| row.name.as_deref()),
            texts(|row| row.url.as_deref()),
            texts(|row| row.account.as_deref()),
            texts(|row| row.host.as_deref()),
            texts(|row| row.outcome.map(outcome)),
            numbers(|row| row.packets),
            numbers(|row| row.bytes),
            texts(|row| Some(&row.file)),
            numbers(|row| Some(row.offset)),
        ];
        RecordBatch::try_new(schema(), columns).map(Some)
    }
}

const fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Failure => "failure",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{TimestampMicrosecondType, UInt16Type, UInt64Type};

    use super::*;
    use crate::event::{Event, Kind};
    use crate::hunt::Sighted;
    use crate::time::Moment;

    #[test]
    fn a_column_for_each_field() {
        let event = Event {
            client: "192.0.2.7".parse().ok(),
            port: Some(53),
            protocol: Some(Protocol::Udp),
            name: Some(b"c2.\xffexample"),
            outcome: Some(Outcome::Failure),
            ..Event::new(Kind::DnsQuery, Some(Moment(1_700_000_000_250_000)))
        };
        let mut batches = Batches::default();
        let at = |offset| Sighted { file: "x.log", offset, line: b"" };
        assert!(!batches.push(Row::of(&event, at(0))));
        assert!(!batches.push(Row::of(&Event::new(Kind::Login, None), at(7))));
        let batch = batches.take().unwrap().unwrap();
        assert!(batches.take().unwrap().is_none());
        let text = |name: &str, row: usize| {
            let column = batch.column_by_name(name).unwrap().as_string::<i32>();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let of = |row: usize| {
            let names = ["event", "client", "server", "protocol", "name", "outcome", "file"];
            names.map(|name| text(name, row).unwrap_or_default()).join(" ")
        };
        assert_eq!(of(0), "dns_query 192.0.2.7  udp c2.\u{fffd}example failure x.log");
        assert_eq!(of(1), "login      x.log");
        let time = batch.column(0).as_primitive::<TimestampMicrosecondType>();
        assert_eq!((time.value(0), time.is_valid(1)), (1_700_000_000_250_000, false));
        let port = batch.column_by_name("port").unwrap().as_primitive::<UInt16Type>();
        assert_eq!((port.value(0), port.is_valid(1)), (53, false));
        let offset = batch.column_by_name("offset").unwrap().as_primitive::<UInt64Type>();
        assert_eq!(offset.values(), &[0, 7]);
    }

    #[test]
    fn long_texts_make_small_batches() {
        let url = vec![b'x'; 1 << 20];
        let event = Event { url: Some(&url), ..Event::new(Kind::WebRequest, None) };
        let row = Row::of(&event, Sighted { file: "", offset: 0, line: b"" });
        let mut batches = Batches::default();
        assert_eq!((0..100).position(|_| batches.push(row.clone())), Some(63));
    }
}
