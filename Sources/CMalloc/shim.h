// What the C library's allocator can be told: of glibc two things, of others nothing.

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

/// All threads share one heap. To be called before there are threads.
static inline void wsm_malloc_share_heap(void) { mallopt(M_ARENA_MAX, 1); }

/// Gives whole pages that are free back to the system.
static inline void wsm_malloc_trim(void) { malloc_trim(0); }
#else
static inline void wsm_malloc_share_heap(void) {}
static inline void wsm_malloc_trim(void) {}
#endif
