/* bench-seal [MIB]: verity trees, their verification and sealing, beside what OpenSSL's SHA-256
 * alone would take and beside veritysetup, in one run. Ratios of CPU time are what counts: loads
 * differ. */
#include "base/file.h"
#include "crypt/authority.h"
#include "crypt/sha256.h"
#include "format/verity.h"
#include "layer/layer.h"
#include "layer/seal.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct {
	char *dir, *data, *tree, *layer;
	int data_fd, tree_fd;
	guint64 size;
	VarveDigest root;
} Bench;

/* Wall time, and that of the processors, ours and our children's. */
typedef struct {
	double wall, cpu;
} Time;

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static Time now(void)
{
	struct rusage ours, children;
	Time time = { .wall = (double)g_get_monotonic_time() / G_USEC_PER_SEC };

	getrusage(RUSAGE_SELF, &ours);
	getrusage(RUSAGE_CHILDREN, &children);
	time.cpu = seconds(&ours.ru_utime) + seconds(&ours.ru_stime) + seconds(&children.ru_utime) +
		   seconds(&children.ru_stime);
	return time;
}

static Time since(Time start)
{
	Time time = now();

	return (Time){ time.wall - start.wall, time.cpu - start.cpu };
}

static void fail(GError *error)
{
	fprintf(stderr, "bench-seal: %s\n", error ? error->message : "cannot go on");
	exit(1);
}

/* One core, or as many as the process had; new threads inherit it. */
static void use_cores(const cpu_set_t *all, gboolean one)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	for (int i = 0; one && i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, all)) {
			CPU_SET(i, &first);
			break;
		}
	}
	sched_setaffinity(0, sizeof(first), one ? &first : all);
}

/* The floor: nothing but SHA-256 of that many blocks, out of one block in the cache. */
static Time hash_only(guint64 size)
{
	g_autoptr(VarveSha256) state = varve_sha256_new();
	char block[VARVE_VERITY_BLOCK] = { 0 };
	Time start = now();
	VarveDigest digest;

	for (guint64 at = 0; at < size; at += sizeof(block)) {
		varve_sha256_update(state, block, sizeof(block));
		varve_sha256_finish(state, &digest);
	}
	return since(start);
}

static Time write_tree(Bench *b)
{
	g_autoptr(GError) error = NULL;
	Time start = now();

	if (!varve_verity_write(b->data_fd, 0, b->size / VARVE_VERITY_BLOCK, b->tree_fd, 0,
				&b->root, &error))
		fail(error);
	return since(start);
}

static Time verify_tree(Bench *b)
{
	g_autoptr(GError) error = NULL;
	Time start = now();

	if (!varve_verity_verify(b->data_fd, 0, b->size, b->tree_fd, 0,
				 varve_verity_size(b->size / VARVE_VERITY_BLOCK), &b->root, NULL,
				 &error))
		fail(error);
	return since(start);
}

static Time veritysetup(const Bench *b, const char *action)
{
	g_autofree char *hex = varve_digest_dup_hex(&b->root);
	g_autofree char *other = g_build_filename(b->dir, "other-tree", NULL);
	const char *verify[] = { "veritysetup", "verify", b->data, b->tree, hex, NULL };
	const char *format[] = { "veritysetup", "format", "--salt=-", b->data, other, NULL };
	Time start = now();
	int status = -1;

	if (!g_spawn_sync(NULL, (char **)(strcmp(action, "verify") == 0 ? verify : format), NULL,
			  G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
				  G_SPAWN_STDERR_TO_DEV_NULL,
			  NULL, NULL, NULL, NULL, &status, NULL) ||
	    !g_spawn_check_wait_status(status, NULL))
		return (Time){ 0 };
	return since(start);
}

static Time seal(const Bench *b)
{
	g_autofree char *key_path = g_build_filename(b->dir, "k.key", NULL);
	g_autofree char *certificate_path = g_build_filename(b->dir, "k.crt", NULL);
	g_autoptr(VarveCertificate) certificate = NULL;
	g_autoptr(VarvePrivateKey) key = NULL;
	g_autoptr(GError) error = NULL;
	Time start;

	if (!varve_authority_make(b->dir, "k", &error))
		fail(error);
	key = varve_private_key_load(key_path, &error);
	certificate = key ? varve_certificate_load(certificate_path, &error) : NULL;
	if (!certificate)
		fail(error);
	start = now();
	if (!varve_layer_seal(b->data, varve_arch_native(), "bench", "1", key, certificate,
			      b->layer, NULL, &error))
		fail(error);
	return since(start);
}

static void make(Bench *b)
{
	g_autofree guint32 *chunk = g_malloc(1 << 20);
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	g_autoptr(GError) error = NULL;

	b->dir = g_dir_make_tmp("varve-bench-XXXXXX", &error);
	if (!b->dir)
		fail(error);
	b->data = g_build_filename(b->dir, "data", NULL);
	b->tree = g_build_filename(b->dir, "tree", NULL);
	b->layer = g_build_filename(b->dir, "layer.raw", NULL);
	b->data_fd = open(b->data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	b->tree_fd = open(b->tree, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (size_t i = 0; i < (1 << 20) / sizeof(*chunk); i++)
		chunk[i] = g_rand_int(random);
	for (guint64 at = 0; at < b->size; at += 1 << 20) {
		chunk[0] = (guint32)at;
		/* What sealing asks of an image. */
		if (at == 0)
			memcpy((char *)chunk + 1024, "\xe2\xe1\xf5\xe0", 4);
		if (varve_fd_pwrite_full(b->data_fd, chunk, 1 << 20, (off_t)at) < 0)
			fail(NULL);
	}
}

static void row(const char *what, Time time, Time floor, const Bench *b)
{
	double gib = (double)b->size / (1 << 30);

	if (time.wall <= 0) {
		printf("%-36s not installed\n", what);
		return;
	}
	printf("%-36s %8.3f s %8.3f s/GiB %8.3f CPU s/GiB %6.2f\n", what, time.wall,
	       time.wall / gib, time.cpu / gib, time.cpu / floor.cpu);
}

int main(int argc, char **argv)
{
	Bench b = { .size = (guint64)(argc > 1 ? atoi(argv[1]) : 190) << 20 };
	Time floor, one, all, write_one, write_all;
	cpu_set_t cores;

	sched_getaffinity(0, sizeof(cores), &cores);
	make(&b);
	use_cores(&cores, TRUE);
	floor = hash_only(b.size);
	write_one = write_tree(&b);
	one = verify_tree(&b);
	use_cores(&cores, FALSE);
	write_all = write_tree(&b);
	all = verify_tree(&b);
	printf("%" G_GUINT64_FORMAT
	       " MiB, %d cores; the last column is CPU time in units of the first row\n",
	       b.size >> 20, CPU_COUNT(&cores));
	row("SHA-256 alone, one core", floor, floor, &b);
	row("tree, one core", write_one, floor, &b);
	row("tree, all cores", write_all, floor, &b);
	row("verify, one core", one, floor, &b);
	row("verify, all cores", all, floor, &b);
	row("seal (copy, tree, signature, fsync)", seal(&b), floor, &b);
	row("veritysetup format", veritysetup(&b, "format"), floor, &b);
	row("veritysetup verify", veritysetup(&b, "verify"), floor, &b);
	close(b.data_fd);
	close(b.tree_fd);
	varve_dir_remove(AT_FDCWD, b.dir, NULL);
	return 0;
}
