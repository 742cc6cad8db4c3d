// Declarations only; libFuzzer is linked with -fsanitize=fuzzer.
