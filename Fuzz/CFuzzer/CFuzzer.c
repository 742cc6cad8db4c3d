#include <stddef.h>
#include <stdint.h>

// In libFuzzer's runtime, and in wsm-fuzz.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *, size_t));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The package manager links a program of several files with MODULE_main as its main.
int wsm_fuzz_main(int argc, char **argv) {
    return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);
}
