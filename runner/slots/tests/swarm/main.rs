//! Slots on a real swarm. Each test has its own set, which is removed at its end.

// The lints exempt tests; helpers count as tests below this attribute.
#[cfg(test)]
mod claims;
#[cfg(test)]
mod cycles;
#[cfg(test)]
mod death;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod records;
#[cfg(test)]
mod support;
