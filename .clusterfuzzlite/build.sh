#!/bin/bash -eu
# Builds every fuzz target into $OUT, with its seeds beside it as the fuzzer wants them.
cd "$SRC/gosched"
cargo fuzz build -O --debug-assertions
for target in $(cargo fuzz list); do
  cp "fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
  zip -q -j "$OUT/${target}_seed_corpus.zip" "fuzz/seeds/$target"/*
done
