//! DNS servers: who asked for which name.

mod bind;
mod dnsmasq;
mod powerdns;
mod unbound;

pub(super) use bind::BindFile;
pub(super) use unbound::UnboundFile;

pub(super) use bind::message as bind_message;
pub(super) use dnsmasq::message as dnsmasq_message;
pub(super) use powerdns::message as powerdns_message;
pub(super) use unbound::message as unbound_message;
