//! Engine to snapshot.
