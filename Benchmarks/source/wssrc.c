// A load source: a WebSocket server on one thread that floods, or paces, its clients with frames.
//
//   wssrc PORT CONNECTIONS SIZE MESSAGES [RATE [BURST]]
//
// Waits for CONNECTIONS clients on 127.0.0.1:PORT, then sends each of them MESSAGES text frames of
// SIZE bytes, as fast as they read or RATE a second each, BURST (1) in one write. Prints "ready" when
// it listens, "connected FIRST LAST" (the first accepted, the last upgraded), "start SECONDS" when
// the first frame goes out, "done SECONDS MESSAGES" when the last byte has been taken by the
// client's kernel, and stays until it is killed. Times are seconds of CLOCK_MONOTONIC. A paced frame
// that is written alone begins with {"t":NANOSECONDS of the same clock, 20 digits, read just before
// its write; all others have zeros there.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "accept.h"

#define RING_TARGET (256 * 1024)
#define HEAD_LIMIT 4096
#define STAMP_AT 5  // in the payload: behind {"t":
#define STAMP_DIGITS 20

typedef struct {
    int fd;
    int upgraded;
    size_t head_length;
    char head[HEAD_LIMIT];
    uint64_t sent;
} client;

static char *ring;
static size_t ring_length, frame_length, header_length;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void make_ring(size_t size) {
    size_t header = size < 126 ? 2 : size < 65536 ? 4 : 10;
    header_length = header;
    frame_length = header + size;
    size_t frames = RING_TARGET / frame_length ? RING_TARGET / frame_length : 1;
    ring_length = frames * frame_length;
    ring = malloc(ring_length);
    for (size_t i = 0; i < frames; i++) {
        uint8_t *frame = (uint8_t *)ring + i * frame_length;
        frame[0] = 0x81;
        if (header == 2) frame[1] = size;
        else if (header == 4) frame[1] = 126, frame[2] = size >> 8, frame[3] = size;
        else {
            frame[1] = 127;
            for (int b = 0; b < 8; b++) frame[2 + b] = (uint64_t)size >> (56 - 8 * b);
        }
        char *payload = (char *)frame + header;
        memset(payload, 'x', size);
        // JSON where there is room for it, as feeds send it.
        if (size >= 40) {
            int n = snprintf(payload, size, "{\"t\":%0*d,\"pad\":\"", STAMP_DIGITS, 0);
            payload[n] = 'x';
            memcpy(payload + size - 2, "\"}", 2);
        }
    }
}

// Puts the time into the frame that goes out next. The kernel copies it, so the ring may be shared.
static void stamp(uint64_t sent) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t value = (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    char *digits = ring + sent % ring_length + header_length + STAMP_AT;
    for (int i = STAMP_DIGITS; i-- > 0; value /= 10) digits[i] = '0' + value % 10;
}

static void upgrade(client *c) {
    ssize_t n = read(c->fd, c->head + c->head_length, HEAD_LIMIT - 1 - c->head_length);
    if (n <= 0) return;
    c->head_length += n;
    c->head[c->head_length] = 0;
    if (!strstr(c->head, "\r\n\r\n")) return;
    char *key = strcasestr(c->head, "sec-websocket-key:");
    if (!key) return;
    key += strlen("sec-websocket-key:");
    while (*key == ' ') key++;
    char accept[32], answer[256];
    accept_key(key, accept);
    int length = snprintf(answer, sizeof answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    if (write(c->fd, answer, length) != length) die("write");
    c->upgraded = 1;
}

// Sends up to the given position of the client's stream. Returns 0 when the socket takes no more.
static int send_until(client *c, uint64_t end) {
    while (c->sent < end) {
        size_t at = c->sent % ring_length;
        size_t count = ring_length - at;
        if (count > end - c->sent) count = end - c->sent;
        ssize_t n = write(c->fd, ring + at, count);
        if (n < 0) {
            if (errno == EAGAIN) return 0;
            die("write");
        }
        c->sent += n;
    }
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: wssrc PORT CONNECTIONS SIZE MESSAGES [RATE [BURST]]\n");
        return 2;
    }
    int port = atoi(argv[1]), wanted = atoi(argv[2]);
    uint64_t messages = strtoull(argv[4], 0, 10);
    double rate = argc > 5 ? atof(argv[5]) : 0;
    uint64_t burst = argc > 6 ? strtoull(argv[6], 0, 10) : 1;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    make_ring(strtoull(argv[3], 0, 10));
    client *clients = calloc(wanted, sizeof *clients);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) die("listen");
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = 0}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    printf("ready\n");
    fflush(stdout);

    int count = 0, upgraded = 0;
    double first = 0;
    while (upgraded < wanted) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            client *c = events[i].data.ptr;
            if (!c) {
                int fd;
                while (count < wanted && (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    if (count == 0) first = now();
                    c = &clients[count++];
                    c->fd = fd;
                    event = (struct epoll_event){.events = EPOLLIN, .data.ptr = c};
                    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
                }
            } else if (!c->upgraded) {
                upgrade(c);
                upgraded += c->upgraded;
            }
        }
    }
    // Whoever measures reads its clocks now.
    printf("connected %.6f %.6f\n", first, now());
    fflush(stdout);
    char line[16];
    if (!fgets(line, sizeof line, stdin)) return 1;

    double start = now();
    printf("start %.6f\n", start);
    fflush(stdout);
    uint64_t end = messages * frame_length;
    int left = wanted;
    if (rate <= 0) {
        for (int i = 0; i < wanted; i++) {
            event = (struct epoll_event){.events = EPOLLOUT, .data.ptr = &clients[i]};
            epoll_ctl(poller, EPOLL_CTL_MOD, clients[i].fd, &event);
        }
        while (left > 0) {
            int n = epoll_wait(poller, events, 256, -1);
            for (int i = 0; i < n; i++) {
                client *c = events[i].data.ptr;
                // One ring at a time, so that all clients get their turn.
                uint64_t until = c->sent + ring_length < end ? c->sent + ring_length : end;
                send_until(c, until);
                if (c->sent == end) {
                    event = (struct epoll_event){.events = 0, .data.ptr = c};
                    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
                    left--;
                }
            }
        }
    } else {
        // One burst a client and period; the clients are spread over the period.
        prctl(PR_SET_TIMERSLACK, 1000UL);
        // Single messages come when they are due, for latencies. Bursts come up to a sleep late: setting a
        // timer for each of 40,000 a second takes half a processor here, from those that are measured.
        double shortest_sleep = burst == 1 ? 0 : 250e-6;
        for (uint64_t sent = 0; sent < messages; sent += burst)
            for (int i = 0; i < wanted; i++) {
                double due = start + (sent + (double)i / wanted * burst) / rate, wait = due - now();
                if (wait > 0) usleep((wait > shortest_sleep ? wait : shortest_sleep) * 1e6);
                if (burst == 1 && frame_length >= header_length + 40) stamp(clients[i].sent);
                uint64_t until = sent + burst < messages ? sent + burst : messages;
                while (!send_until(&clients[i], until * frame_length)) usleep(100);
            }
    }
    for (int i = 0; i < wanted; i++) {
        int queued = 1;
        while (ioctl(clients[i].fd, SIOCOUTQ, &queued) == 0 && queued > 0) usleep(200);
    }
    printf("done %.6f %llu\n", now(), (unsigned long long)messages * wanted);
    fflush(stdout);
    pause();
}
