// The floor: a client that reads with epoll into one shared buffer and parses frames, no more.
//
//   floor PORT CONNECTIONS
//
// Prints the number of messages and bytes of payload on SIGTERM.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int fd;
    uint64_t left;      // bytes of payload to come
    size_t partial;     // bytes of a header begun
    uint8_t header[14];
} client;

static uint64_t messages, bytes;
static char buffer[256 * 1024];

static void finish(int signal) {
    (void)signal;
    char line[128];
    int n = snprintf(line, sizeof line, "{\"messages\":%llu,\"bytes\":%llu}\n",
        (unsigned long long)messages, (unsigned long long)bytes);
    _exit(write(1, line, n) == n ? 0 : 1);
}

static size_t header_size(const uint8_t *h, size_t n) {
    if (n < 2) return 2;
    return (h[1] & 127) < 126 ? 2 : (h[1] & 127) == 126 ? 4 : 10;
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
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int port = atoi(argv[1]), count = atoi(argv[2]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGTERM, finish);
    client *clients = calloc(count, sizeof *clients);
    int poller = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    for (int i = 0; i < count; i++) {
        client *c = &clients[i];
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c->fd, (void *)&address, sizeof address)) return perror("connect"), 1;
        if (write(c->fd, request, sizeof request - 1) < 0) return perror("write"), 1;
        // The source sends nothing before all are connected: the answer comes alone.
        if (read(c->fd, buffer, sizeof buffer) <= 0) return perror("read"), 1;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
    }
    struct epoll_event events[256];
    for (;;) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            client *c = events[i].data.ptr;
            ssize_t got = read(c->fd, buffer, sizeof buffer);
            if (got > 0) parse(c, (uint8_t *)buffer, got);
            else epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, 0);
        }
    }
}
