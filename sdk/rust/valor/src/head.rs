//! The head of a request or of a fetch's response as the host passes it: one block without pointers (abi/valor.h).
use std::sync::Arc;

/// A copy of such a block. Numbers in it are read byte by byte, so it need not be aligned.
#[derive(Clone)]
pub struct Head {
    block: Arc<[u8]>,
    layout: &'static Layout,
}

/// Where things are: offsets of the members that the two structs have.
pub struct Layout {
    pub headers: usize,
}

/// valor_request_head.
pub mod request {
    pub const FLAGS: usize = 4;
    pub const BODY_LENGTH: usize = 8;
    pub const METHOD: usize = 16;
    pub const URL: usize = 24;
    pub const ID: usize = 32;
    pub static LAYOUT: super::Layout = super::Layout { headers: 40 };
}

/// valor_response_head.
pub mod response {
    pub const FLAGS: usize = 4;
    pub const BODY_LENGTH: usize = 8;
    pub const STATUS: usize = 16;
    pub const URL: usize = 20;
    pub static LAYOUT: super::Layout = super::Layout { headers: 28 };
}

const HEADER_BYTES: usize = 16;

impl Head {
    pub fn new(block: &[u8], layout: &'static Layout) -> Head {
        Head { block: block.into(), layout }
    }

    pub fn u32_at(&self, offset: usize) -> u32 {
        u32::from_ne_bytes(self.block[offset..offset + 4].try_into().unwrap_or_default())
    }

    pub fn u64_at(&self, offset: usize) -> u64 {
        u64::from_ne_bytes(self.block[offset..offset + 8].try_into().unwrap_or_default())
    }

    /// What the span at `offset` stands for.
    pub fn bytes_at(&self, offset: usize) -> &[u8] {
        let start = self.u32_at(offset) as usize;
        &self.block[start..start + self.u32_at(offset + 4) as usize]
    }

    /// The same as text, which the ABI says it is.
    pub fn text_at(&self, offset: usize) -> &str {
        std::str::from_utf8(self.bytes_at(offset)).unwrap_or_default()
    }

    pub fn header_count(&self) -> usize {
        self.u32_at(self.layout.headers + 4) as usize
    }

    pub fn header_at(&self, index: usize) -> (&[u8], &[u8]) {
        let at = self.u32_at(self.layout.headers) as usize + index * HEADER_BYTES;
        (self.bytes_at(at), self.bytes_at(at + 8))
    }
}
