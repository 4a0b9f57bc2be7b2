//! The swarm module on a real swarm of one node, with one small image and separate stacks, which are removed at the end
//! of every test.

// The lints exempt tests; helpers count as tests below this attribute.
#[cfg(test)]
mod bot;
#[cfg(test)]
mod exec_in;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fresh;
#[cfg(test)]
mod images;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod never;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod room;
#[cfg(test)]
mod support;
#[cfg(test)]
mod upgrade;
