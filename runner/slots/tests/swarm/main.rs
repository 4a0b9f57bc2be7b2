//! Slots on a real swarm, each test in a set of its own, which is gone at its end.

// The lints let tests alone; helpers count as tests below this attribute.
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
