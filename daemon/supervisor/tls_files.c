/*
 * Certificate files: read, tried out as the front will use them, and written into a sealed memfd.
 *
 * Runs in: supervisor, which may be root and so may read keys that the front's user may not. The rule:
 * nothing of a key stays in the supervisor. Its buffers are wiped, and so is every piece of memory that
 * OpenSSL gives back.
 */
#include "supervisor/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/heritage.h"
#include "base/log.h"
#include "base/tls_bundle.h"
#include "front/tls_context.h"
#include "supervisor/config.h"
#include "supervisor/tls_wipe.h"

#define DAY_SECONDS  86400
#define NOTE_SECONDS (14 * DAY_SECONDS) /* before a certificate expires */

/* The keys of the configuration that name the parts. */
static const char *const part_names[TLS_PART_MAX] = {
	[TLS_PART_CHAIN] = "certificate",
	[TLS_PART_KEY] = "key",
	[TLS_PART_STAPLE] = "ocsp",
	[TLS_PART_CLIENT_CA] = "client_ca",
};

/* One listener's certificate in memory, and on its way into the bundle. */
struct loading {
	const struct config_listener *listener;
	uint32_t index; /* of the listener */
	struct config_errors *errors;
	struct tls_files *files;
	const char *paths[TLS_PART_MAX]; /* "": none */
	size_t sizes[TLS_PART_MAX];
	char data[TLS_PART_MAX][TLS_FILE_MAX];
};

static int
complain(const struct loading *loading, enum tls_part_kind kind, const char *text)
{
	return config_error(loading->errors, loading->listener->line, "listen \"%s\": %s %.200s %s",
			    loading->listener->front.name, part_names[kind], loading->paths[kind],
			    text);
}

static void note(const struct loading *loading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
note(const struct loading *loading, const char *format, ...)
{
	struct tls_files *files = loading->files;
	char text[TLS_NOTE_MAX - 64];
	va_list arguments;

	if (files->notes_count == TLS_NOTES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(files->notes[files->notes_count++], TLS_NOTE_MAX, "listen \"%s\": %s",
		 loading->listener->front.name, text);
}

/* ---- reading ---- */

/* Bytes read, at most `size`; -1 with errno. */
static ssize_t
read_whole(int fd, char *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = read(fd, data + done, size - done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (ssize_t)done;
}

static int
read_part(struct loading *loading, enum tls_part_kind kind)
{
	const char *path = loading->paths[kind];
	/* O_NONBLOCK: a FIFO without a writer must not hold up the daemon. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	ssize_t size = -1;

	if (fd < 0)
		return complain(loading, kind, strerror(errno));
	if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode)) {
		close(fd);
		return complain(loading, kind, "is not a file");
	}
	size = read_whole(fd, loading->data[kind], TLS_FILE_MAX);
	int saved = errno;
	close(fd);
	if (size < 0)
		return complain(loading, kind, strerror(saved));
	if (size == TLS_FILE_MAX)
		return complain(loading, kind, "has 256 KiB or more: it cannot be what it should");
	if (kind == TLS_PART_KEY && (status.st_mode & S_IROTH) != 0)
		note(loading, "key %.120s can be read by everybody: chmod 600", path);
	loading->sizes[kind] = (size_t)size;
	return 0;
}

/* All that are named are tried, so that all errors are told. */
static int
read_parts(struct loading *loading)
{
	int result = 0;

	for (enum tls_part_kind kind = 0; kind < TLS_PART_MAX; kind++)
		if (loading->paths[kind][0] != '\0' && read_part(loading, kind) < 0)
			result = -1;
	return result;
}

/* ---- checking ---- */

static void
note_times(const struct loading *loading, const struct ssl_ctx_st *context)
{
	const int64_t certificate = tls_context_certificate_left(context);
	const char *path = loading->paths[TLS_PART_CHAIN];

	if (certificate <= 0)
		note(loading, "certificate %.120s has expired: clients will refuse it", path);
	else if (certificate < NOTE_SECONDS)
		note(loading, "certificate %.120s expires in %" PRId64 " days", path,
		     certificate / DAY_SECONDS);
	if (tls_context_staple_left(context) <= 0)
		note(loading, "ocsp %.120s has expired: it is not sent",
		     loading->paths[TLS_PART_STAPLE]);
}

static struct tls_text
text_of(const struct loading *loading, enum tls_part_kind kind)
{
	if (loading->paths[kind][0] == '\0')
		return (struct tls_text){ NULL, 0 };
	return (struct tls_text){ loading->data[kind], loading->sizes[kind] };
}

static int
try_out(const struct loading *loading)
{
	const struct heritage_listener *front = &loading->listener->front;
	struct tls_source source = { .client_verify = (enum client_verify)front->client_verify,
				     .minimum = (enum tls_minimum)front->tls_minimum,
				     .protocol = (enum protocol)front->protocol };
	struct tls_error error;
	struct ssl_ctx_st *context;

	for (enum tls_part_kind kind = 0; kind < TLS_PART_MAX; kind++)
		source.parts[kind] = text_of(loading, kind);
	context = tls_context_new(&source, &error);
	if (context == NULL)
		return complain(loading, error.part, error.text);
	note_times(loading, context);
	tls_context_free(context);
	return 0;
}

/* ---- writing ---- */

static int
write_part(const struct loading *loading, enum tls_part_kind kind)
{
	struct tls_files *files = loading->files;
	const struct tls_part part = { .listener = loading->index,
				       .kind = kind,
				       .bytes = (uint32_t)loading->sizes[kind] };

	if (loading->paths[kind][0] == '\0')
		return 0;
	if (files->bytes + sizeof(part) + part.bytes > TLS_BUNDLE_MAX)
		return complain(loading, kind, "is too much: 4 MiB together are");
	if (heritage_write(files->fd, &part, sizeof(part)) < 0 ||
	    heritage_write(files->fd, loading->data[kind], part.bytes) < 0)
		return complain(loading, kind, strerror(errno));
	files->bytes += (uint32_t)sizeof(part) + part.bytes;
	return 0;
}

static int
load_certificate(struct loading *loading, uint32_t number)
{
	const struct config_listener *listener = loading->listener;

	loading->paths[TLS_PART_CHAIN] = listener->certificates.paths[number];
	loading->paths[TLS_PART_KEY] = listener->keys.paths[number];
	loading->paths[TLS_PART_STAPLE] =
		number < listener->staples.count ? listener->staples.paths[number] : "";
	loading->paths[TLS_PART_CLIENT_CA] = listener->client_ca;
	if (read_parts(loading) < 0 || try_out(loading) < 0)
		return -1;
	loading->files->certificates++;
	/* Authorities once, before the certificates: as the front expects them. */
	if ((number == 0 && write_part(loading, TLS_PART_CLIENT_CA) < 0) ||
	    write_part(loading, TLS_PART_CHAIN) < 0 || write_part(loading, TLS_PART_KEY) < 0 ||
	    write_part(loading, TLS_PART_STAPLE) < 0)
		return -1;
	return 0;
}

/* ---- the whole ---- */

static int
load_all(const struct config *config, struct loading *loading)
{
	int result = 0;

	for (uint32_t i = 0; i < config->listeners_count; i++) {
		loading->listener = &config->listeners[i];
		loading->index = i;
		for (uint32_t j = 0; j < config->listeners[i].certificates.count; j++)
			if (load_certificate(loading, j) < 0)
				result = -1;
	}
	return result;
}

static bool
speaks_tls(const struct config *config)
{
	for (uint32_t i = 0; i < config->listeners_count; i++)
		if (config->listeners[i].front.tls > 0)
			return true;
	return false;
}

static struct tls_files *
new_files(void)
{
	struct tls_files *files = calloc(1, sizeof(*files));

	if (files == NULL)
		return NULL;
	files->fd = memfd_create("zygoted-tls", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (files->fd >= 0)
		return files;
	free(files);
	return NULL;
}

int
tls_files_read(const struct config *config, struct config_errors *errors,
	       struct tls_files **files_out)
{
	struct loading *loading;
	int result = -1;

	*files_out = NULL;
	if (!speaks_tls(config))
		return 0;
	tls_wipe_init();
	loading = calloc(1, sizeof(*loading));
	if (loading != NULL && (loading->files = new_files()) != NULL) {
		loading->errors = errors;
		result = load_all(config, loading);
		if (result == 0 && heritage_seal_fd(loading->files->fd) < 0)
			result = config_error(errors, 0, "certificates cannot be sealed: %s",
					      strerror(errno));
		if (result == 0)
			*files_out = loading->files;
		else
			tls_files_free(loading->files);
		explicit_bzero(loading, sizeof(*loading));
	} else {
		config_error(errors, 0, "certificates cannot be kept: %s", strerror(errno));
	}
	free(loading);
	return result;
}

void
tls_files_free(struct tls_files *files)
{
	if (files != NULL)
		close(files->fd);
	free(files);
}

int
tls_files_fd(const struct tls_files *files)
{
	return files != NULL ? files->fd : -1;
}

uint32_t
tls_files_bytes(const struct tls_files *files)
{
	return files != NULL ? files->bytes : 0;
}
