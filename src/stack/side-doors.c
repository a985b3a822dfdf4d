/* The table of side doors, and how a command line is looked through for them (Linux,
 * admin-guide/kernel-parameters; kernel-command-line(7)). */
#include "stack/side-doors.h"

#include <string.h>

#define YES "1 y yes true on"
#define NO "0 n no false off"
#define OTHER_TARGET "starts another target than the signed system's own, with a shell for root"
#define CREDENTIAL \
	"hands the system's services passwords, keys and configuration that nobody signed"
#define DEVICES "makes block devices or mounts that the signed base does not know"
#define ENVIRONMENT "goes into the environment of systemd and of what it starts"

/* The first line that fits a word decides. */
static const VarveSideDoorRule rules[] = {
	{ "init", NULL, "starts another program than the signed systemd" },
	{ "rdinit", NULL, "starts another program than varve-init" },
	{ "initrd", NULL, "unpacks a file of the ESP, which nobody signed, into the initrd" },
	{ "varve.debug_shell", NULL, "opens a shell in the initrd" },
	{ "systemd.debug_shell", NO, "opens a root shell on a terminal without a password" },
	{ "systemd.default_debug_tty", NULL, "says where systemd's root shell appears" },
	{ "systemd.crash_shell", NO, "opens a root shell when systemd crashes" },
	{ "systemd.confirm_spawn", NO, "lets who is at the console leave services out" },
	{ "systemd.break", NULL, "opens a root shell in the middle of the start" },
	{ "systemd.unit", NULL, OTHER_TARGET },
	{ "rescue", NULL, OTHER_TARGET },
	{ "emergency", NULL, OTHER_TARGET },
	{ "single", NULL, OTHER_TARGET },
	{ "s", NULL, OTHER_TARGET },
	{ "S", NULL, OTHER_TARGET },
	{ "1", NULL, OTHER_TARGET },
	{ "-s", NULL, OTHER_TARGET },
	{ "-b", NULL, OTHER_TARGET },
	{ "systemd.run*", NULL, "runs a command as root" },
	{ "systemd.wants", NULL, "starts units that the signed system leaves out" },
	{ "systemd.mask", NULL, "leaves units of the signed system out" },
	{ "systemd.setenv", NULL, ENVIRONMENT },
	{ "systemd.set_credential*", NULL, CREDENTIAL },
	{ "systemd.import_credentials", NO, CREDENTIAL },
	{ "systemd.condition_first_boot", NO, "lets who is at the console set root's password" },
	{ "systemd.firstboot", NO, "lets who is at the console set root's password" },
	{ "systemd.gpt_auto", NO, DEVICES },
	{ "systemd.verity*", NO, DEVICES },
	{ "systemd.volatile", NO, DEVICES },
	{ "systemd.mount_extra", NULL, DEVICES },
	{ "systemd.swap_extra", NULL, DEVICES },
	{ "root", NULL, DEVICES },
	{ "roothash", NULL, DEVICES },
	{ "usrhash", NULL, DEVICES },
	{ "mount.usr*", NULL, DEVICES },
	{ "dm_mod.*", NULL, DEVICES },
	/* For a kernel with dm-verity built in. */
	{ "dm_verity.require_signatures", YES, "lets dm-verity open what nobody signed" },
	{ "dm_verity.*", NULL, "changes what dm-verity does with blocks that are not as signed" },
	{ "ipe.*", NULL, "changes which code may be executed" },
	{ "enforcing", "1", "switches SELinux's enforcement off" },
	{ "selinux", "1", "switches SELinux off" },
	{ "checkreqprot", "0", "weakens what SELinux checks" },
	{ "security", "selinux", "starts another security module in SELinux's place" },
	{ "lsm", NULL, "leaves security modules out" },
	{ "lockdown", "integrity confidentiality", "opens the kernel's memory to root" },
	{ "module.sig_enforce", YES, "lets modules in that nobody signed" },
	{ "module_blacklist", NULL, "leaves modules out that the start relies on" },
	{ "modprobe.blacklist", NULL, "leaves modules out that the start relies on" },
	{ "initcall_blacklist", NULL, "leaves parts of the kernel out, security modules too" },
	{ "resume*", NULL, "goes on with a memory image that nobody signed" },
	{ "efi", NULL, "hides from the system whether Secure Boot is on" },
	{ "noefi", NULL, "hides from the system whether Secure Boot is on" },
	{ "audit", YES, "silences the record of what was denied" },
	{ "sysctl.*", NULL, "sets any of the kernel's settings, programs that it starts too" },
	{ "firmware_class.path", NULL, "takes firmware from where nobody signed it" },
	{ "kgdb*", NULL, "opens the running kernel to a debugger" },
	{ "ekgdboc", NULL, "opens the running kernel to a debugger" },
	{ "kdb", NULL, "opens the running kernel to a debugger" },
	{ "iomem", NULL, "opens the machine's memory to root" },
	{ "LD_*", NULL, ENVIRONMENT },
	{ "GLIBC_TUNABLES", NULL, ENVIRONMENT },
	{ "SYSTEMD_*", NULL, ENVIRONMENT },
	{ "PATH", NULL, ENVIRONMENT },
	{ NULL, NULL, NULL },
};

const VarveSideDoorRule *varve_side_door_rules(void)
{
	return rules;
}

static void door_free(gpointer data)
{
	VarveSideDoor *door = data;

	g_free(door->word);
	g_free(door);
}

static void add_door(GPtrArray *doors, const char *word, const char *reason)
{
	VarveSideDoor *door = g_new0(VarveSideDoor, 1);

	door->word = g_strescape(word, NULL);
	door->reason = reason;
	g_ptr_array_add(doors, door);
}

/* Kernel and systemd take '-' and '_' in a key for the same character. */
static gboolean same(char a, char b)
{
	return a == b || ((a == '-' || a == '_') && (b == '-' || b == '_'));
}

static gboolean is_key(const char *pattern, const char *key, gsize length)
{
	gsize i = 0;

	while (pattern[i] && pattern[i] != '*' && i < length && same(pattern[i], key[i]))
		i++;
	return pattern[i] == '*' || (!pattern[i] && i == length);
}

static gboolean is_harmless(const char *harmless, const char *value)
{
	g_auto(GStrv) values = NULL;

	if (!harmless || !value)
		return FALSE;
	values = g_strsplit(harmless, " ", -1);
	return g_strv_contains((const char *const *)values, value);
}

/* What may be in a word without being read in two ways: systemd knows single quotes and
 * backslashes, the kernel does not, and they do not agree on all that is a blank. */
static gboolean is_plain(const char *word)
{
	for (const char *c = word; *c; c++) {
		if (*c <= ' ' || *c > '~' || *c == '\'' || *c == '\\')
			return FALSE;
	}
	return TRUE;
}

static void check_word(const char *word, GPtrArray *doors)
{
	const char *equals = strchr(word, '=');
	gsize length = equals ? (gsize)(equals - word) : strlen(word);

	if (!is_plain(word)) {
		add_door(doors, word,
			 "has characters that the kernel and systemd read differently");
		return;
	}
	for (const VarveSideDoorRule *rule = rules; rule->word; rule++) {
		if (!is_key(rule->word, word, length))
			continue;
		if (!is_harmless(rule->harmless, equals ? equals + 1 : NULL))
			add_door(doors, word, rule->reason);
		return;
	}
}

GPtrArray *varve_side_doors_find(const char *command_line)
{
	GPtrArray *doors = g_ptr_array_new_with_free_func(door_free);
	g_autoptr(GString) word = g_string_new(NULL);
	gboolean quoted = FALSE;

	for (const char *c = command_line;; c++) {
		if (*c == '"') {
			quoted = !quoted;
			continue;
		}
		if (*c && (quoted || (*c != ' ' && *c != '\t' && *c != '\n'))) {
			/* Inside quotes a blank is part of a value; nothing here cares which. */
			g_string_append_c(word, *c == ' ' ? '_' : *c);
			continue;
		}
		if (strcmp(word->str, "--") == 0 && *c) {
			add_door(doors, "--", "gives what follows to systemd as its arguments");
			return doors;
		}
		if (word->len > 0)
			check_word(word->str, doors);
		g_string_truncate(word, 0);
		if (!*c)
			return doors;
	}
}
