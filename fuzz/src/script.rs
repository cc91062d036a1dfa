//! Fuzzed bytes as a script: a source of small choices that never runs dry.
//!
//! Past its end everything is zero, and zero always means what an honest
//! participant does. So every script is whole, and a shorter one strays less.

/// What is left of a script.
pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// At most so many bytes.
    pub(crate) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        first
    }

    /// A number below `bound`, or 0; of a choice among more than 256, two bytes are read.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let low = usize::from(self.byte());
        let number = if bound > 256 { low << 8 | usize::from(self.byte()) } else { low };
        number % bound.max(1)
    }
}
