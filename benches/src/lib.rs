//! What gosched costs. `zero-cost` compares machine code with plain atomics, which no noise can
//! blur; the benches under `benches/` measure time, beside the peers and in the same run.
