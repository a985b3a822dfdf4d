/* From a path on a running node to its answer. */
#include "trace/why.h"

#include "base/error.h"
#include "crypt/sha256.h"
#include "ground/fd.h"
#include "ground/syscalls.h"
#include "stack/xino.h"
#include "trace/earlier.h"
#include "trace/resolve.h"
#include "trace/writable.h"

#include <limits.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define LABEL_XATTR "security.selinux"
#define LABEL_MAX 4096

/* One file that is being asked about. */
typedef struct {
	VarveTraceNode *node;
	VarveTraceAnswer *answer;
	struct stat st;
	const VarveMount *mount; /* (nullable) NULL: of another mount namespace */
	char *inside;            /* its path within its filesystem, relative */
} Question;

static void question_clear(Question *question)
{
	g_free(question->inside);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Question, question_clear)

/* The bytes of a regular file, hashed through @proc, a name of the fd that is open. */
static void hash(VarveTraceFound *found, const char *proc)
{
	varve_autofd fd = open(proc, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	g_autoptr(GError) error = NULL;
	guint64 size;

	found->read = fd >= 0 && varve_sha256_fd(fd, &found->digest, &size, &error);
	if (found->read)
		return;
	found->damaged = fd >= 0;
	g_free(found->unread);
	found->unread = g_strdup(error ? error->message : g_strerror(errno));
}

static VarveTraceFound *look_at(int fd, const struct stat *st, gboolean read)
{
	VarveTraceFound *found = varve_trace_found_new();
	char proc[32], target[PATH_MAX], label[LABEL_MAX + 1];
	ssize_t n;

	found->mode = st->st_mode;
	found->uid = st->st_uid;
	found->gid = st->st_gid;
	if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
		found->size = (guint64)st->st_size;
	/* An O_PATH fd has no other way to its attributes. */
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = getxattr(proc, LABEL_XATTR, label, LABEL_MAX);
	if (n > 0) {
		label[n] = '\0';
		g_free(found->label);
		found->label = g_strdup(label);
	}
	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(fd, "", target, sizeof(target) - 1);
		g_free(found->target);
		found->target = g_strndup(target, n > 0 ? (gsize)n : 0);
	}
	if (S_ISREG(st->st_mode) && read)
		hash(found, proc);
	return found;
}

/* A signed file that is not what its table says: what was expected and what was found, one each. */
static void tell_differences(VarveTraceAnswer *answer)
{
	const VarveTraceFound *found = answer->found;
	const VarvePath *record = answer->record;
	const char *name = answer->layer->manifest->name;

	if (found->damaged)
		varve_trace_answer_problem(answer,
					   "it cannot be read (%s): a block is not what was "
					   "signed, or the disk fails",
					   found->unread);
	answer->differs = varve_trace_differs(record, found, TRUE);
	if (answer->differs & (VARVE_CHANGE_CONTENT | VARVE_CHANGE_SIZE | VARVE_CHANGE_TYPE))
		varve_trace_answer_problem(answer,
					   "what is read is not what the path table of layer '%s' "
					   "says: it is not what was signed",
					   name);
	if (answer->differs & VARVE_CHANGE_MODE)
		varve_trace_answer_problem(answer,
					   "its mode is %06o, the path table of layer '%s' says "
					   "%06o",
					   found->mode, name, record->mode);
	if (answer->differs & VARVE_CHANGE_OWNER)
		varve_trace_answer_problem(answer,
					   "its owner is %u:%u, the path table of layer '%s' says "
					   "%u:%u",
					   found->uid, found->gid, name, record->uid, record->gid);
	if (answer->differs & VARVE_CHANGE_LABEL)
		varve_trace_answer_problem(answer,
					   "its label is '%s', the path table of layer '%s' says "
					   "'%s'",
					   found->label, name, record->label);
}

static void add_other(VarveTraceAnswer *answer, const VarveTraceLayer *layer,
		      const VarvePath *record)
{
	VarveTraceOther *other = g_new0(VarveTraceOther, 1);

	other->layer = layer;
	other->record = varve_path_copy(record);
	g_ptr_array_add(answer->others, other);
}

/* The path tables' word: whose the file at @path is, by the order of the layers; and who else has
 * it. */
static gboolean ask_tables(const Question *question, const char *path, GError **error)
{
	const GPtrArray *layers = question->node->stack->layers;
	VarveTraceAnswer *answer = question->answer;

	for (guint i = layers->len; i-- > 0;) {
		const VarveTraceLayer *layer = layers->pdata[i];
		VarvePath record;
		gboolean found, self;

		if (!varve_trace_layer_find(layer, path, &found, &record, &self, error))
			return FALSE;
		if (found && !answer->layer)
			varve_trace_answer_from(answer, layer, &record, self);
		else if (found)
			add_other(answer, layer, &record);
	}
	return TRUE;
}

/* Whether the file of the layer's own mount at @path is the inode that the kernel reads. */
static gboolean is_inode(const VarveTraceLayer *layer, const char *path, guint64 inode)
{
	struct stat st;

	return fstatat(layer->fd, *path ? path : ".", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino == inode;
}

/* The kernel's word against the tables'. */
static gboolean ask_kernel(const Question *question, const char *path, GError **error)
{
	const VarveTraceNode *node = question->node;
	VarveTraceAnswer *answer = question->answer;
	const VarveTraceLayer *layer;
	guint64 inode;
	guint number = varve_xino_layer(question->st.st_ino, node->by_lower->len, &inode);
	gboolean found, self;
	VarvePath record;

	layer = number ? node->by_lower->pdata[number - 1] : NULL;
	if (!layer) {
		varve_trace_answer_problem(answer,
					   "the kernel reads it from none of the layers (inode "
					   "%" G_GUINT64_FORMAT ")",
					   (guint64)question->st.st_ino);
		return TRUE;
	}
	if (!is_inode(layer, path, inode))
		varve_trace_answer_problem(
			answer,
			"the kernel reads inode %" G_GUINT64_FORMAT
			" of layer '%s', which is not /%s in that layer's own mount",
			inode, layer->manifest->name, path);
	if (layer == answer->layer)
		return TRUE;
	varve_trace_answer_problem(answer,
				   "the kernel reads it from layer '%s'; by the path tables it "
				   "should come from '%s'",
				   layer->manifest->name,
				   answer->layer ? answer->layer->manifest->name : "none");
	if (!varve_trace_layer_find(layer, path, &found, &record, &self, error))
		return FALSE;
	answer->layer = layer;
	if (found)
		varve_trace_answer_from(answer, layer, &record, self);
	else
		g_clear_pointer(&answer->record, g_free);
	return TRUE;
}

static gboolean finish_signed(const Question *question, const char *path)
{
	VarveTraceAnswer *answer = question->answer;

	answer->state = VARVE_TRACE_SIGNED;
	if (answer->layer && !answer->record)
		varve_trace_answer_problem(answer, "/%s is in no path table of layer '%s'", path,
					   answer->layer->manifest->name);
	else if (answer->layer && !answer->describes_layer && (*path || !answer->found))
		tell_differences(answer);
	return TRUE;
}

/* Of another namespace, whose names need not be ours: by its inode alone, if it has to be. */
static gboolean answer_nameless(const Question *question)
{
	const VarveTraceNode *node = question->node;
	guint64 inode;
	guint number = varve_xino_layer(question->st.st_ino, node->by_lower->len, &inode);
	const VarveTraceLayer *layer = number ? node->by_lower->pdata[number - 1] : NULL;

	if (!layer || is_inode(layer, question->answer->path + 1, inode))
		return FALSE;
	question->answer->layer = layer;
	question->answer->state = VARVE_TRACE_SIGNED;
	return TRUE;
}

/* A file of the merged /usr. */
static gboolean answer_merged(const Question *question, GError **error)
{
	g_autofree char *path = NULL;

	if (question->mount)
		path = g_strconcat("usr", *question->inside ? "/" : "", question->inside, NULL);
	else if (answer_nameless(question))
		return TRUE;
	else
		path = g_strdup(question->answer->path + 1);
	return ask_tables(question, path, error) && ask_kernel(question, path, error) &&
	       finish_signed(question, path);
}

/* A file that is read from one layer's own filesystem. */
static gboolean answer_layer(const Question *question, const VarveTraceLayer *layer, GError **error)
{
	const char *path = question->inside ? question->inside : question->answer->path + 1;
	gboolean found, self;
	VarvePath record;

	if (!varve_trace_layer_find(layer, path, &found, &record, &self, error))
		return FALSE;
	question->answer->layer = layer;
	if (found)
		varve_trace_answer_from(question->answer, layer, &record, self);
	return finish_signed(question, path);
}

/* What lies in the upper of /etc; -1: there is none. */
static int open_upper(const VarveTraceNode *node, const char *path)
{
	varve_autofd upper =
		*node->upper ? open(node->upper, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (upper < 0)
		return -1;
	return varve_openat2(upper, *path ? path : ".", O_PATH | O_NOFOLLOW, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

static gboolean is_pseudo(const char *type)
{
	static const char *const types[] = { "tmpfs",    "ramfs",       "devtmpfs",   "proc",
					     "sysfs",    "devpts",      "cgroup2",    "cgroup",
					     "mqueue",   "hugetlbfs",   "securityfs", "selinuxfs",
					     "debugfs",  "tracefs",     "bpf",        "configfs",
					     "efivarfs", "pstore",      "autofs",     "fusectl",
					     "nsfs",     "binfmt_misc", "rpc_pipefs", NULL };

	return g_strv_contains(types, type);
}

/* Below /usr and /etc nothing else belongs: who mounts over a signed file hides it. */
static gboolean tell_covered(const Question *question, GError **error)
{
	VarveTraceAnswer *answer = question->answer;
	const char *path = answer->path + 1;

	if (!g_str_has_prefix(path, "usr/") && !g_str_has_prefix(path, "etc/"))
		return TRUE;
	if (!ask_tables(question, path, error))
		return FALSE;
	if (answer->layer)
		varve_trace_answer_problem(answer,
					   "something is mounted over what layer '%s' has there",
					   answer->layer->manifest->name);
	/* It is not what is read here: none of that is what this file should be. */
	answer->layer = NULL;
	g_clear_pointer(&answer->record, g_free);
	g_ptr_array_set_size(answer->others, 0);
	return TRUE;
}

static gboolean answer_elsewhere(const Question *question, GError **error)
{
	const VarveMount *mount = question->mount;
	VarveTraceAnswer *answer = question->answer;
	gboolean earlier;

	if (!varve_trace_earlier_answer(question->node, question->st.st_dev, question->st.st_ino,
					question->inside, answer, &earlier, error))
		return FALSE;
	if (earlier)
		return TRUE;

	answer->state =
		mount && is_pseudo(mount->type) ? VARVE_TRACE_VOLATILE : VARVE_TRACE_FOREIGN;
	g_free(answer->filesystem);
	answer->filesystem =
		mount ? g_strdup_printf("%s (%s) at %s", mount->type, mount->source, mount->point)
		      : g_strdup("a filesystem that is not mounted here (of another mount "
				 "namespace)");
	return !mount || tell_covered(question, error);
}

/* A path below / that is not of the merged /usr. */
static gboolean answer_by_device(const Question *question, GError **error)
{
	const VarveTraceNode *node = question->node;
	dev_t device = question->mount ? question->mount->device : question->st.st_dev;
	const char *inside = question->inside ? question->inside : "";

	for (guint i = 0; i < node->stack->layers->len; i++) {
		const VarveTraceLayer *layer = node->stack->layers->pdata[i];

		if (layer->device == device)
			return answer_layer(question, layer, error);
	}
	if (question->mount && device == node->etc) {
		g_autofree char *path = g_strconcat("etc", *inside ? "/" : "", inside, NULL);
		varve_autofd upper = open_upper(node, inside);

		return varve_writable_answer(node->stack, path, upper >= 0, question->answer,
					     error);
	}
	if (question->mount && device == node->state &&
	    (strcmp(inside, "var") == 0 || g_str_has_prefix(inside, "var/")))
		return varve_writable_answer(node->stack, inside, TRUE, question->answer, error);
	if (question->mount && device == node->state) {
		question->answer->state = VARVE_TRACE_LOCAL;
		return TRUE;
	}
	return answer_elsewhere(question, error);
}

static const VarveMount *mount_of(const VarveTraceNode *node, int fd)
{
	struct statx stx;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0 ||
	    !(stx.stx_mask & STATX_MNT_ID))
		return NULL;
	return varve_mounts_by_id(node->mounts, stx.stx_mnt_id);
}

VarveTraceAnswer *varve_trace_why_fd(VarveTraceNode *node, int fd, const VarveTraceAsk *ask,
				     GError **error)
{
	g_autoptr(VarveTraceAnswer) answer = varve_trace_answer_new(ask->path);
	g_auto(Question) question = { .node = node, .answer = answer };
	gboolean merged, ok;

	if (fstat(fd, &question.st) < 0) {
		varve_fail_errno(error, errno, "%s", ask->path);
		return NULL;
	}
	answer->found = look_at(fd, &question.st, ask->hash);
	question.mount = mount_of(node, fd);
	if (question.mount)
		question.inside = varve_mounts_inside(question.mount, ask->path);
	/* A name that does not lie where the file is says nothing of it. */
	if (!question.inside)
		question.mount = NULL;
	merged = (question.mount ? question.mount->device : question.st.st_dev) == node->usr;
	ok = merged ? answer_merged(&question, error) : answer_by_device(&question, error);
	if (ok && answer->layer)
		varve_trace_node_signer(node, (VarveTraceLayer *)answer->layer);
	for (guint i = 0; ok && i < answer->others->len; i++) {
		const VarveTraceOther *other = answer->others->pdata[i];

		varve_trace_node_signer(node, (VarveTraceLayer *)other->layer);
	}
	return ok ? g_steal_pointer(&answer) : NULL;
}

/* What is not there: who should have it. */
static VarveTraceAnswer *answer_absent(VarveTraceNode *node, const char *path, GError **error)
{
	g_autoptr(VarveTraceAnswer) answer = varve_trace_answer_new(path);
	const char *relative = path + strspn(path, "/");

	if ((g_str_has_prefix(relative, "etc/") || g_str_has_prefix(relative, "var/")) &&
	    !varve_writable_answer(node->stack, relative, TRUE, answer, error))
		return NULL;
	if (answer->layer)
		varve_trace_node_signer(node, (VarveTraceLayer *)answer->layer);
	return g_steal_pointer(&answer);
}

VarveTraceAnswer *varve_trace_why_path(VarveTraceNode *node, const char *path, GError **error)
{
	varve_autofd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const VarveTraceAsk ask = { .path = path, .hash = TRUE };
	const char *relative = path + strspn(path, "/");
	varve_autofd fd = -1;

	if (root < 0) {
		varve_fail_errno(error, errno, "/");
		return NULL;
	}
	fd = varve_openat2(root, *relative ? relative : ".", O_PATH | O_NOFOLLOW, 0,
			   *relative ? RESOLVE_NO_MAGICLINKS : 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return answer_absent(node, path, error);
	if (fd < 0) {
		varve_fail_errno(error, errno, "%s", path);
		return NULL;
	}
	return varve_trace_why_fd(node, fd, &ask, error);
}

static gboolean look(const char *path, gboolean *ret_exists, char **ret_target, gpointer data,
		     GError **error)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	(void)data;
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
		*ret_exists = FALSE;
		return errno == ENOENT || errno == ENOTDIR ||
		       varve_fail_errno(error, errno, "%s", path);
	}
	*ret_exists = TRUE;
	if (!S_ISLNK(st.st_mode))
		return TRUE;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return varve_fail_errno(error, errno, "%s", path);
	*ret_target = g_strndup(target, (gsize)n);
	return TRUE;
}

VarveTraceWhy *varve_trace_why(VarveTraceNode *node, const char *path, GError **error)
{
	g_autoptr(VarveTraceWhy) why = varve_trace_why_new(path);
	g_autoptr(GPtrArray) steps = NULL;

	if (!varve_trace_resolve(path, look, NULL, &steps, error))
		return NULL;
	for (guint i = 0; i < steps->len; i++) {
		VarveTraceAnswer *answer = varve_trace_why_path(node, steps->pdata[i], error);

		if (!answer)
			return NULL;
		g_ptr_array_add(why->answers, answer);
	}
	return g_steal_pointer(&why);
}
