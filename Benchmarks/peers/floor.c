// The floor: a client that reads with epoll into one shared buffer and parses frames, no more.
//
//   floor PORT CONNECTIONS [LATENCIES]
//
// Dials with up to 256 handshakes in flight, so that it is the floor of dialling as well. On SIGTERM
// it prints the number of messages and bytes of payload, and what up to LATENCIES of them took.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

#define IN_FLIGHT 256

static char buffer[256 * 1024];
static volatile sig_atomic_t ended;
static int poller, dialled, wanted;
static client *clients;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void end(int signal) {
    (void)signal;
    ended = 1;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(client *c, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event)) die("epoll_ctl");
}

static void dial(void) {
    client *c = &clients[dialled++];
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket");
    if (connect(c->fd, (void *)&address, sizeof address) && errno != EINPROGRESS) die("connect");
    watch(c, EPOLLOUT, EPOLL_CTL_ADD);
}

static void ask(client *c) {
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    if (write(c->fd, request, sizeof request - 1) < 0) die("write");
    watch(c, EPOLLIN, EPOLL_CTL_MOD);
}

static void dial_all(void) {
    int open = 0;
    struct epoll_event events[256];
    while (open < wanted) {
        while (dialled < wanted && dialled - open < IN_FLIGHT) dial();
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            client *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) {
                ask(c);
            } else {
                // The source sends nothing before all are connected: the answer comes alone.
                if (read(c->fd, buffer, sizeof buffer) <= 0) die("read");
                open++;
            }
        }
    }
}

static void receive(void) {
    struct epoll_event events[256];
    while (!ended) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            client *c = events[i].data.ptr;
            ssize_t got = read(c->fd, buffer, sizeof buffer);
            if (got > 0) parse(c, (uint8_t *)buffer, got);
            else epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, 0);
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    address.sin_port = htons(atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    wanted = atoi(argv[2]);
    latency_limit = argc > 3 ? strtoull(argv[3], 0, 10) : 0;
    if (latency_limit) latencies = malloc(latency_limit * sizeof *latencies);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGTERM, end);
    clients = calloc(wanted + 1, sizeof *clients);
    poller = epoll_create1(0);
    dial_all();
    receive();
    report(stdout);
}
