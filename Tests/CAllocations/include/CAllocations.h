#ifndef WSM_ALLOCATIONS_H
#define WSM_ALLOCATIONS_H

#include <stdint.h>

/// How often the calling thread has asked for memory since it began; 0 for ever in a build with a
/// sanitizer, which has an allocator of its own.
uint64_t wsm_allocations_of_thread(void);

/// Whether this build counts.
int wsm_counts_allocations(void);

#endif
