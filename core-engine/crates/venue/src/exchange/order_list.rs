//! All orders ever let in, so kept that a picture of them costs next to nothing.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

use super::order::OwnOrder;

/// Orders per block: what is copied at most when an order changes while somebody still reads a picture.
const BLOCK: usize = 64;

/// A list that only grows, in blocks that pictures share. A block is copied when one of its orders changes while
/// a picture holds it, and at no other time.
#[derive(Debug, Clone, Default)]
pub struct OrderList {
    blocks: Vec<Arc<Vec<OwnOrder>>>,
    len: usize,
}

impl OrderList {
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn push(&mut self, order: OwnOrder) {
        if self.len.is_multiple_of(BLOCK) {
            self.blocks.push(Arc::new(Vec::with_capacity(BLOCK)));
        }
        self.len += 1;
        if let Some(last) = self.blocks.last_mut() {
            Arc::make_mut(last).push(order);
        }
    }

    /// In the order in which they were let in.
    pub fn iter(&self) -> impl Iterator<Item = &OwnOrder> + '_ {
        self.blocks.iter().flat_map(|block| block.iter())
    }
}

impl Index<usize> for OrderList {
    type Output = OwnOrder;
    fn index(&self, index: usize) -> &OwnOrder {
        &self.blocks[index / BLOCK][index % BLOCK]
    }
}

impl IndexMut<usize> for OrderList {
    fn index_mut(&mut self, index: usize) -> &mut OwnOrder {
        &mut Arc::make_mut(&mut self.blocks[index / BLOCK])[index % BLOCK]
    }
}
