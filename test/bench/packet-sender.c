/*
 * Traffic through several routers in turn, from one thread: what it costs in processor time, and nothing else.
 *
 *   packet-sender udp|tcp up|down BATCHES UNITS SERVER_IP (CLIENT_NETNS SERVER_NETNS)...
 *
 * A batch is UNITS packets of 18 bytes (udp) or UNITS KiB of one stream (tcp). A veth pair hands a packet over in the sender's own
 * softirq, so the thread's processor time is that of the whole path: sending, the router, receiving, for TCP the acknowledgements.
 * Time that other programs take is not in it, and since the routers change places every millisecond or so, what slows the processor
 * down hits all alike. A batch counts only if nothing had to be waited for: what came later was carried by another thread.
 *
 * Prints one line for each router: nanoseconds for each unit, of each batch that counts, in the order in which they were sent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 5300, PAYLOAD = 18, MAX_ROUTERS = 8, MAX_PACKETS = 200, PATIENCE_S = 2 };

struct router {
	int client, server;
	double *costs;
	int counted;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A socket that lives in namespace `netns`, whoever uses it. */
static int socket_in(const char *netns, int type)
{
	char path[256];
	struct timeval patience = { .tv_sec = PATIENCE_S };

	snprintf(path, sizeof path, "/run/netns/%s", netns);
	int ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(path);
	close(ns);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	return fd;
}

/* One packet each way at least: from then on conntrack calls the flow established. */
static void establish(struct router *router, int type, const char *server_ip, const char *client_ns, const char *server_ns)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in there = any, from;
	socklen_t size = sizeof from;
	int yes = 1;
	char byte = 0;

	inet_pton(AF_INET, server_ip, &there.sin_addr);
	router->server = socket_in(server_ns, type);
	router->client = socket_in(client_ns, type);
	setsockopt(router->server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(router->server, (struct sockaddr *)&any, sizeof any) < 0)
		die("bind");
	if (type == SOCK_STREAM && listen(router->server, 1) < 0)
		die("listen");
	if (connect(router->client, (struct sockaddr *)&there, sizeof there) < 0)
		die("connect through the router");
	if (type == SOCK_STREAM) {
		int listener = router->server;
		router->server = accept(listener, NULL, NULL);
		if (router->server < 0)
			die("accept");
		close(listener);
		fcntl(router->server, F_SETFL, O_NONBLOCK);
		fcntl(router->client, F_SETFL, O_NONBLOCK);
		return;
	}
	if (send(router->client, &byte, 1, 0) != 1 ||
	    recvfrom(router->server, &byte, 1, 0, (struct sockaddr *)&from, &size) != 1)
		die("nothing came through the router");
	if (connect(router->server, (struct sockaddr *)&from, sizeof from) < 0)
		die("connect");
	if (send(router->server, &byte, 1, 0) != 1 || recv(router->client, &byte, 1, 0) != 1)
		die("nothing came back through the router");
}

static double thread_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static void send_packets(struct router *router, int from, int to, int packets)
{
	char payload[PAYLOAD] = { 0 };
	int arrived = 0;

	double begin = thread_ns();
	for (int i = 0; i < packets; i++)
		if (send(from, payload, sizeof payload, 0) != sizeof payload)
			die("send");
	double spent = thread_ns() - begin;
	while (recv(to, payload, sizeof payload, MSG_DONTWAIT) == sizeof payload)
		arrived++;
	if (arrived == packets)
		router->costs[router->counted++] = spent / packets;
}

static void send_stream(struct router *router, int from, int to, int kib)
{
	static char buffer[64 << 10];
	ssize_t unsent = (ssize_t)kib << 10, unread = unsent;
	int has_waited = 0;

	double begin = thread_ns();
	while (unread > 0) {
		size_t next = unsent < (ssize_t)sizeof buffer ? (size_t)unsent : sizeof buffer;
		ssize_t sent = next == 0 ? 0 : send(from, buffer, next, 0);
		if (sent < 0 && errno != EAGAIN)
			die("send");
		if (sent > 0)
			unsent -= sent;
		ssize_t got, gained = 0;
		while ((got = recv(to, buffer, sizeof buffer, 0)) > 0)
			gained += got;
		if (got == 0 || (got < 0 && errno != EAGAIN))
			die("recv");
		unread -= gained;
		if (sent > 0 || gained > 0)
			continue;
		struct pollfd arrival = { .fd = to, .events = POLLIN };
		if (poll(&arrival, 1, PATIENCE_S * 1000) == 0)
			die("the stream stands still");
		has_waited = 1;
	}
	if (!has_waited)
		router->costs[router->counted++] = (thread_ns() - begin) / kib;
}

int main(int argc, char **argv)
{
	struct router routers[MAX_ROUTERS];
	int count = (argc - 6) / 2;
	if (argc < 8 || count > MAX_ROUTERS) {
		fprintf(stderr, "usage: packet-sender udp|tcp up|down BATCHES UNITS SERVER_IP (CLIENT_NETNS SERVER_NETNS)...\n");
		return 2;
	}
	int is_tcp = strcmp(argv[1], "tcp") == 0, is_up = strcmp(argv[2], "up") == 0;
	int batches = atoi(argv[3]), units = atoi(argv[4]);
	if (units < 1 || (!is_tcp && units > MAX_PACKETS)) {
		fprintf(stderr, "packet-sender: 1 to %d packets fit into the receiver's buffer, got %s\n", MAX_PACKETS, argv[4]);
		return 2;
	}
	for (int i = 0; i < count; i++) {
		establish(&routers[i], is_tcp ? SOCK_STREAM : SOCK_DGRAM, argv[5], argv[6 + 2 * i], argv[7 + 2 * i]);
		routers[i].costs = calloc(batches, sizeof(double));
		routers[i].counted = 0;
	}
	/* Another order each time: who comes after whom must not always be the same. */
	for (int batch = 0; batch < batches; batch++)
		for (int i = 0; i < count; i++) {
			struct router *router = &routers[(i + batch) % count];
			int from = is_up ? router->client : router->server, to = is_up ? router->server : router->client;
			(is_tcp ? send_stream : send_packets)(router, from, to, units);
		}
	for (int i = 0; i < count; i++) {
		for (int j = 0; j < routers[i].counted; j++)
			printf("%s%.0f", j == 0 ? "" : " ", routers[i].costs[j]);
		printf("\n");
	}
	return 0;
}
