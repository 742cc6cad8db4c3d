// The driver of libFuzzer, as its documentation has it for programs with a main of their own.
#include <stddef.h>
#include <stdint.h>

typedef int (*FuzzerCallback)(const uint8_t *data, size_t size);

int LLVMFuzzerRunDriver(int *argc, char ***argv, FuzzerCallback callback);
