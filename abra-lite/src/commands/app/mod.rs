//! Commands about one app.

pub(crate) mod check;
pub(crate) mod cmd;
pub(crate) mod deploy;
pub(crate) mod ls;
pub(crate) mod new;
pub(crate) mod ps;
pub(crate) mod remove;
pub(crate) mod run;
pub(crate) mod undeploy;
