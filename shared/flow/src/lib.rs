//! The handler core: one message in, one outcome out. The same code runs on Lambda and on a laptop.

pub mod event;
