/*
 * Netlink sockets for Node, no more than JavaScript cannot do itself: open one, send a request and collect the whole
 * answer, close it. What the bytes mean is the business of the TypeScript beside it.
 *
 *   open(protocol, netns | undefined) -> file descriptor, or -errno
 *   exchange(fd, request, reply, timeoutMs) -> bytes written to reply, or -errno
 *   close(fd)
 *
 * The kernel answers a dump while it is read, on the caller's thread: there is nothing to wait for, so there is no thread.
 * Only functions that glibc and musl have alike are called, and the file is linked with neither: the process that loads it
 * has one already.
 *
 * See netlink(7), include/uapi/linux/netlink.h, https://nodejs.org/docs/latest-v24.x/api/n-api.html
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <node_api.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_NETNS_PATH = 256, MAX_TIMEOUT_MS = 10000 };

/* What a datagram is to the request that waits for its answer. */
enum judgement { STALE, MORE, LAST, BROKEN };

/* ------------------------------------------------------------------------------------------------- the socket */

static int open_here(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

/* A socket belongs to the namespace of the thread that makes it; the thread goes there and comes back. */
static int open_in(int protocol, const char *path)
{
	int fd = -1, error = 0;
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int away = open(path, O_RDONLY | O_CLOEXEC);

	if (home < 0 || away < 0 || setns(away, CLONE_NEWNET) < 0) {
		error = errno;
	} else {
		fd = open_here(protocol);
		/* A process in two networks at once must not go on. */
		if (setns(home, CLONE_NEWNET) < 0)
			abort();
	}
	if (home >= 0)
		close(home);
	if (away >= 0)
		close(away);
	return error != 0 ? -error : fd;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint32_t u32_at(const uint8_t *bytes)
{
	uint32_t value;

	__builtin_memcpy(&value, bytes, sizeof(value));
	return value;
}

static enum judgement judge(const uint8_t *bytes, size_t length, uint32_t sequence)
{
	struct nlmsghdr header;

	if (length < sizeof(header))
		return BROKEN;
	for (size_t at = 0; at + sizeof(header) <= length;) {
		__builtin_memcpy(&header, bytes + at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > length - at)
			return BROKEN;
		/* The rest of an answer that nobody waited for to the end. */
		if (header.nlmsg_seq != sequence)
			return STALE;
		if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR ||
		    (header.nlmsg_flags & NLM_F_MULTI) == 0)
			return LAST;
		at += NLMSG_ALIGN((size_t)header.nlmsg_len);
	}
	return MORE;
}

static int wait_until(int fd, int64_t deadline_ms)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	int64_t left_ms = deadline_ms - now_ms();
	int ready;

	if (left_ms <= 0)
		return -ETIMEDOUT;
	ready = poll(&waiting, 1, (int)left_ms);
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	return ready == 0 ? -ETIMEDOUT : 0;
}

static int64_t collect(int fd, uint32_t sequence, uint8_t *reply, size_t capacity, int64_t deadline_ms)
{
	size_t length = 0;

	for (;;) {
		struct sockaddr_nl sender = { 0 };
		socklen_t sender_length = sizeof(sender);
		/* With MSG_TRUNC the true length of the datagram comes back, however much of it had room. */
		ssize_t got = recvfrom(fd, reply + length, capacity - length, MSG_DONTWAIT | MSG_TRUNC,
				       (struct sockaddr *)&sender, &sender_length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			int error = wait_until(fd, deadline_ms);
			if (error != 0)
				return error;
			continue;
		}
		if (got < 0)
			return -errno;
		/* Only the kernel is number 0. */
		if (sender_length < sizeof(sender) || sender.nl_pid != 0)
			continue;
		if ((size_t)got > capacity - length)
			return -EMSGSIZE;
		switch (judge(reply + length, (size_t)got, sequence)) {
		case BROKEN:
			return -EBADMSG;
		case LAST:
			return (int64_t)(length + (size_t)got);
		case MORE:
			length += (size_t)got;
			break;
		case STALE:
			break;
		}
	}
}

static int64_t exchange(int fd, const uint8_t *request, size_t request_length, uint8_t *reply, size_t capacity,
			int timeout_ms)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int64_t deadline_ms = now_ms() + timeout_ms;
	ssize_t sent;

	if (request_length < sizeof(struct nlmsghdr) || u32_at(request) != request_length)
		return -EINVAL;
	do {
		sent = sendto(fd, request, request_length, MSG_DONTWAIT, (struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return collect(fd, u32_at(request + offsetof(struct nlmsghdr, nlmsg_seq)), reply, capacity, deadline_ms);
}

/* ------------------------------------------------------------------------------------------------- for JavaScript */

static napi_value number(napi_env env, int64_t value)
{
	napi_value result;

	return napi_create_int64(env, value, &result) == napi_ok ? result : NULL;
}

static napi_value wrong_arguments(napi_env env, const char *expected)
{
	napi_throw_type_error(env, NULL, expected);
	return NULL;
}

static napi_value js_open(napi_env env, napi_callback_info info)
{
	size_t count = 2, length = 0;
	napi_value arguments[2];
	napi_valuetype type;
	int32_t protocol;
	char path[MAX_NETNS_PATH];

	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
	    napi_get_value_int32(env, arguments[0], &protocol) != napi_ok ||
	    napi_typeof(env, arguments[1], &type) != napi_ok)
		return wrong_arguments(env, "open: expected (protocol, netns path or undefined)");
	if (type == napi_undefined)
		return number(env, open_here(protocol));
	if (napi_get_value_string_utf8(env, arguments[1], path, sizeof(path), &length) != napi_ok ||
	    length >= sizeof(path) - 1)
		return wrong_arguments(env, "open: expected a path of at most 254 bytes");
	return number(env, open_in(protocol, path));
}

static napi_value js_exchange(napi_env env, napi_callback_info info)
{
	size_t count = 4, request_length, capacity;
	napi_value arguments[4];
	int32_t fd, timeout_ms;
	void *request, *reply;

	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
	    napi_get_value_int32(env, arguments[0], &fd) != napi_ok ||
	    napi_get_buffer_info(env, arguments[1], &request, &request_length) != napi_ok ||
	    napi_get_buffer_info(env, arguments[2], &reply, &capacity) != napi_ok ||
	    napi_get_value_int32(env, arguments[3], &timeout_ms) != napi_ok || timeout_ms < 0 ||
	    timeout_ms > MAX_TIMEOUT_MS)
		return wrong_arguments(env, "exchange: expected (fd, request, reply, timeout of 0 to 10000 ms)");
	return number(env, exchange(fd, request, request_length, reply, capacity, timeout_ms));
}

static napi_value js_close(napi_env env, napi_callback_info info)
{
	size_t count = 1;
	napi_value argument;
	int32_t fd;

	if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok ||
	    napi_get_value_int32(env, argument, &fd) != napi_ok)
		return wrong_arguments(env, "close: expected (fd)");
	close(fd);
	return NULL;
}

NAPI_MODULE_INIT()
{
	const napi_property_descriptor functions[] = {
		{ .utf8name = "open", .method = js_open },
		{ .utf8name = "exchange", .method = js_exchange },
		{ .utf8name = "close", .method = js_close },
	};

	if (napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions) != napi_ok)
		return NULL;
	return exports;
}
