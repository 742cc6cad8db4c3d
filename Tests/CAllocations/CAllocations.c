// Counts what the tests' program allocates: these functions take the place of the C library's, which
// glibc leaves callable under another name.
#include "CAllocations.h"

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WSM_SANITIZED 1
#endif
#endif

#if defined(WSM_SANITIZED) || !defined(__GLIBC__)

uint64_t wsm_allocations_of_thread(void) { return 0; }
int wsm_counts_allocations(void) { return 0; }

#else

static __thread uint64_t allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    allocations++;
    return __libc_realloc(memory, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    allocations++;
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? 12 /* ENOMEM */ : 0;
}

uint64_t wsm_allocations_of_thread(void) { return allocations; }
int wsm_counts_allocations(void) { return 1; }

#endif
