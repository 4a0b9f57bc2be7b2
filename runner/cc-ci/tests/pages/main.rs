//! The pages of `cc-ci serve`, asked as programs ask and looked at in a real browser.

#[cfg(test)]
use journal_fixtures as fixtures;

#[cfg(test)]
mod browser;
#[cfg(test)]
mod client;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod exported;
#[cfg(test)]
mod feeds;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod live;
#[cfg(test)]
mod log;
#[cfg(test)]
mod markup;
#[cfg(test)]
mod nights;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod stories;
