//! The Node addon behind the npm package `@flashpod/native`: plain data in, plain data out.
//!
//! - [`failure`]: the one place where errors get their code, and where a panic becomes an error
//! - [`arrays`]: typed arrays as they are passed
//! - [`units`]: numbers and texts of JavaScript to exact values and back
//! - [`window`]: memory of a book that JavaScript sees without a copy
//! - [`book`], [`certified`]: order books, plain and with their certificate
//! - [`push`]: MEXC push frames, decoded and encoded
//! - [`order`]: orders and what came of them; [`fifo`], [`estimate`]: matching, order by order and by estimate
//! - [`replay`]: recorded markets in batches of typed arrays, read on the pool of libuv
//! - [`market`]: own orders in front of a recorded market
//!
//! The classes here are for the package's TypeScript alone, which checks what users pass, names it in errors and
//! documents it. Nothing here relies on that: what comes is checked again where it would do harm.

pub mod arrays;
pub mod book;
pub mod certified;
pub mod estimate;
pub mod failure;
pub mod fifo;
pub mod market;
pub mod order;
pub mod push;
pub mod replay;
pub mod units;
pub mod window;
