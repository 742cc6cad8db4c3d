// Frames of a server, parsed from reads of any size: no mask, no checks, nothing kept but the count.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    int fd;
    uint64_t left;      // bytes of payload to come
    size_t partial;     // bytes of a header begun
    uint8_t header[14];
} client;

static uint64_t messages, bytes;
// Nanoseconds from the source's stamp to here, of frames that came whole.
static uint32_t *latencies;
static size_t latency_count, latency_limit;

static size_t header_size(const uint8_t *h, size_t n) {
    if (n < 2) return 2;
    return (h[1] & 127) < 126 ? 2 : (h[1] & 127) == 126 ? 4 : 10;
}

static void note_latency(const uint8_t *payload, size_t n) {
    if (latency_count == latency_limit || n < 25 || memcmp(payload, "{\"t\":", 5)) return;
    uint64_t stamp = 0;
    for (int i = 5; i < 25; i++) stamp = stamp * 10 + (payload[i] - '0');
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    if (stamp > 0) latencies[latency_count++] = now - stamp < UINT32_MAX ? now - stamp : UINT32_MAX;
}

static void parse(client *c, const uint8_t *p, size_t n) {
    while (n > 0) {
        if (c->left > 0) {
            size_t take = c->left < n ? c->left : n;
            c->left -= take, p += take, n -= take, bytes += take;
            if (c->left == 0) messages++;
            continue;
        }
        while (n > 0 && (c->partial < 2 || c->partial < header_size(c->header, c->partial)))
            c->header[c->partial++] = *p++, n--;
        if (c->partial < 2 || c->partial < header_size(c->header, c->partial)) return;
        const uint8_t *h = c->header;
        uint64_t length = h[1] & 127;
        if (length == 126) length = h[2] << 8 | h[3];
        else if (length == 127) {
            length = 0;
            for (int i = 2; i < 10; i++) length = length << 8 | h[i];
        }
        c->partial = 0;
        c->left = length;
        if (length == 0) messages++;
        if (latencies) note_latency(p, n);
    }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// One line of JSON: what was counted, and the latencies' median and 99th hundredth in microseconds.
static void report(FILE *out) {
    fprintf(out, "{\"messages\":%llu,\"bytes\":%llu", (unsigned long long)messages,
        (unsigned long long)bytes);
    if (latency_count) {
        qsort(latencies, latency_count, sizeof *latencies, by_size);
        fprintf(out, ",\"p50_us\":%.1f,\"p99_us\":%.1f", latencies[latency_count / 2] / 1e3,
            latencies[latency_count * 99 / 100] / 1e3);
    }
    fprintf(out, "}\n");
    fflush(out);
}
