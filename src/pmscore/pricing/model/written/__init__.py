"""The written form of pricing: price books as documents that people read and stores keep."""
