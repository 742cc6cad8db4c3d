// What the C library's allocator can be told: of glibc two things, of others nothing.

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

/// All threads share one heap. To be called before there are threads.
static inline void wsm_malloc_share_heap(void) { mallopt(M_ARENA_MAX, 1); }

/// The end of the heap goes back when more than so many bytes of it are free. To be called before
/// there are threads.
static inline void wsm_malloc_keep_end(int bytes) {
    // Setting one of the two ends their growing by themselves, up to which this is the bound.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, bytes);
}

/// Gives whole pages that are free back to the system.
static inline void wsm_malloc_trim(void) { malloc_trim(0); }
#else
static inline void wsm_malloc_share_heap(void) {}
static inline void wsm_malloc_keep_end(int bytes) { (void)bytes; }
static inline void wsm_malloc_trim(void) {}
#endif
