/* azldev's lock files. */
#include "component/azldev-lock.h"

#include "base/error.h"
#include "base/file.h"
#include "component/components-lock.h"
#include "toml/toml.h"

#include <errno.h>
#include <string.h>

#define VERSION 1
#define SIZE_MAX_READ ((gsize)1 << 20)

void varve_azldev_lock_clear(VarveAzldevLock *lock)
{
	g_clear_pointer(&lock->commit, g_free);
	g_clear_pointer(&lock->fingerprint, g_free);
}

static gboolean check_version(const char *path, const VarveTomlValue *root, GError **error)
{
	const VarveTomlValue *version = varve_toml_get(root, "version");

	if (!version || version->type != VARVE_TOML_INTEGER)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: no 'version' here; is it azldev's lock file?", path);
	if (version->integer != VERSION)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: version %" G_GINT64_FORMAT
				  " of azldev's lock files; known is %d",
				  path, version->integer, VERSION);
	return TRUE;
}

/* "" is as if it were not there. */
static gboolean take(const char *path, const VarveTomlValue *root, const char *key, char **ret,
		     GError **error)
{
	const VarveTomlValue *value = varve_toml_get(root, key);

	if (!value || (value->type == VARVE_TOML_STRING && value->string.size == 0))
		return TRUE;
	if (value->type != VARVE_TOML_STRING || strlen(value->string.text) != value->string.size)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' must be a string", path,
				  key);
	*ret = g_strdup(value->string.text);
	return TRUE;
}

static gboolean read_lock(const char *path, const VarveToml *toml, VarveAzldevLock *lock,
			  GError **error)
{
	const VarveTomlValue *root = varve_toml_root(toml);

	if (!check_version(path, root, error) ||
	    !take(path, root, "upstream-commit", &lock->commit, error) ||
	    !take(path, root, "input-fingerprint", &lock->fingerprint, error))
		return FALSE;
	if (!lock->commit)
		return TRUE;
	if (strlen(lock->commit) < 7 || strlen(lock->commit) > 40 ||
	    strspn(lock->commit, "0123456789abcdefABCDEF") != strlen(lock->commit))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'upstream-commit' must be 7 to 40 hexadecimal digits, not "
				  "'%.80s'",
				  path, lock->commit);
	return TRUE;
}

gboolean varve_azldev_lock_read(const char *directory, const char *name, VarveAzldevLock *ret,
				GError **error)
{
	g_autofree char *base = g_strconcat(name, ".lock", NULL);
	g_autofree char *path = g_build_filename(directory, base, NULL), *text = NULL;
	g_auto(VarveAzldevLock) lock = { 0 };
	g_autoptr(VarveToml) toml = NULL;
	g_autoptr(GError) wrong = NULL;
	gsize size;

	memset(ret, 0, sizeof(*ret));
	/* Ours may lie in the same directory. */
	if (strcmp(base, VARVE_COMPONENTS_LOCK) == 0)
		return TRUE;
	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return TRUE;
	if (!varve_file_read(AT_FDCWD, path, SIZE_MAX_READ, &text, &size, error))
		return FALSE;
	toml = varve_toml_parse(path, text, size, &wrong);
	if (!toml)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s", wrong->message);
	if (!read_lock(path, toml, &lock, error))
		return FALSE;
	*ret = lock;
	memset(&lock, 0, sizeof(lock));
	return TRUE;
}

gboolean varve_azldev_lock_fact(const char *line, const char *key, char **ret)
{
	const char *at = line;
	char quote;

	if (!g_str_has_prefix(at, key))
		return FALSE;
	at += strlen(key);
	at += strspn(at, " ");
	if (*at++ != '=')
		return FALSE;
	at += strspn(at, " ");
	quote = *at++;
	if ((quote != '\'' && quote != '"') || !strchr(at, quote))
		return FALSE;
	*ret = g_strndup(at, (gsize)(strchr(at, quote) - at));
	return TRUE;
}
