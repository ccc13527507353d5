//! Mail servers: who connects, who logs in, where mail goes.

mod dovecot;
mod exim;
mod postfix;

pub(super) use dovecot::message as dovecot_message;
pub(super) use exim::{EximFile, message as exim_message};
pub(super) use postfix::message as postfix_message;
