// Stores past the processor's caches, which Swift has no words for. Where the processor has none
// either the compiler makes plain ones of them.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t wsm_pair __attribute__((vector_size(16)));

/// Copies whole lines of 64 bytes past the caches: neither are they fetched before they are
/// overwritten, nor do they push out what is there.
///
/// Other threads may not see them before `wsm_copy_done`. Returns all words or-ed together, so that
/// one can tell whether a bit is set anywhere.
///
/// - Parameters:
///   - to: a multiple of 64.
///   - size: in bytes, a multiple of 64.
static inline uint64_t wsm_copy_past_caches(void *to, const void *from, size_t size) {
    wsm_pair seen = {0, 0};
    for (size_t at = 0; at < size; at += 64) {
        wsm_pair a, b, c, d;
        memcpy(&a, (const char *)from + at, 16);
        memcpy(&b, (const char *)from + at + 16, 16);
        memcpy(&c, (const char *)from + at + 32, 16);
        memcpy(&d, (const char *)from + at + 48, 16);
        wsm_pair *line = (wsm_pair *)((char *)to + at);
        __builtin_nontemporal_store(a, line);
        __builtin_nontemporal_store(b, line + 1);
        __builtin_nontemporal_store(c, line + 2);
        __builtin_nontemporal_store(d, line + 3);
        seen |= (a | b) | (c | d);
    }
    return seen[0] | seen[1];
}

/// Orders what was copied past the caches before all stores that follow.
static inline void wsm_copy_done(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
