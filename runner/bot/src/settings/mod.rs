//! Command-line settings of the forge and Drone.

pub mod drone;
pub mod forge;
