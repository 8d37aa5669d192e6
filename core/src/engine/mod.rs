//! Driving the decoders: files in, results of blocks out, in order.

pub mod feed;
pub mod jobs;
pub mod ledger;
pub mod pipeline;
pub mod push;
pub mod rows;
mod state;
pub mod steps;
pub mod worker;
