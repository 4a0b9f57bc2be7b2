//! Where the forge and Drone are, as the command line takes it.

pub mod drone;
pub mod forge;
