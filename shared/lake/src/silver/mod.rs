//! Silver: the latest version of every resource, merged per bucket.
