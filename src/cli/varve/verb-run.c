/* varve run: an image in QEMU, with its console on the terminal. */
#include "cli/cli.h"
#include "cli/varve/keys.h"
#include "cli/varve/verbs.h"
#include "definition/definition.h"
#include "image/disk.h"
#include "image/run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
	char *directory, *output, *arch;
	char **layers;
	gboolean keep, network, no_reboot, no_kvm, print, secure_boot, permissive, tpm;
	int memory, cpus, ssh_port;
	char *ssh_key, *log, *report, *variables, *keys, *tpm_state, *log_writes;
} RunOptions;

static GOptionEntry *entries(gpointer data)
{
	RunOptions *options = data;
	const GOptionEntry table[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &options->directory,
		  "Where the definition lies (default: here)", "DIR" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "Where its images lie (default: the definition's output-dir)", "DIR" },
		{ "arch", 0, 0, G_OPTION_ARG_STRING, &options->arch,
		  "The image's architecture (default: this machine's)", "ARCH" },
		{ "ssh", 0, 0, G_OPTION_ARG_INT, &options->ssh_port,
		  "127.0.0.1:PORT leads to the guest's sshd; root may log in by a key", "PORT" },
		{ "ssh-key", 0, 0, G_OPTION_ARG_FILENAME, &options->ssh_key,
		  "That key; made if missing (default: a throwaway one)", "FILE" },
		{ "add-layer", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->layers,
		  "Put a further layer into the state partition", "FILE" },
		{ "keep", 0, 0, G_OPTION_ARG_NONE, &options->keep,
		  "Run on the image itself, not on a throwaway copy; UEFI variables stay in "
		  "IMAGE.variables.fd",
		  NULL },
		{ "memory", 'm', 0, G_OPTION_ARG_INT, &options->memory, "Memory (default: 2048)",
		  "MIB" },
		{ "cpus", 0, 0, G_OPTION_ARG_INT, &options->cpus,
		  "Processors (default: this machine's, at most 4)", "N" },
		{ "log", 0, 0, G_OPTION_ARG_FILENAME, &options->log,
		  "Write what the console shows to a file too", "FILE" },
		{ "report", 0, 0, G_OPTION_ARG_FILENAME, &options->report,
		  "A second serial port that writes to a file", "FILE" },
		{ "log-writes", 0, 0, G_OPTION_ARG_FILENAME, &options->log_writes,
		  "Record every write and flush of the disk, as dm-log-writes does: for tests of "
		  "power cuts",
		  "FILE" },
		{ "variables", 0, 0, G_OPTION_ARG_FILENAME, &options->variables,
		  "Start from these UEFI variables; their keys are enforced", "FILE" },
		{ "secure-boot", 0, 0, G_OPTION_ARG_NONE, &options->secure_boot,
		  "Enrol PK, KEK and the platform key, and enforce Secure Boot", NULL },
		{ "keys", 0, 0, G_OPTION_ARG_FILENAME, &options->keys, VARVE_KEYS_HELP, "DIR" },
		{ "permissive", 0, 0, G_OPTION_ARG_NONE, &options->permissive,
		  "Boot with SELinux permissive; development images only", NULL },
		{ "tpm", 0, 0, G_OPTION_ARG_NONE, &options->tpm,
		  "Give it a TPM 2.0 made of software (swtpm)", NULL },
		{ "tpm-state", 0, 0, G_OPTION_ARG_FILENAME, &options->tpm_state,
		  "Keep that TPM's state here; made if missing (default: a new TPM)", "DIR" },
		{ "network", 0, 0, G_OPTION_ARG_NONE, &options->network,
		  "Let the guest reach the outside", NULL },
		{ "no-reboot", 0, 0, G_OPTION_ARG_NONE, &options->no_reboot,
		  "End when the guest reboots", NULL },
		{ "no-kvm", 0, 0, G_OPTION_ARG_NONE, &options->no_kvm,
		  "Emulate, also where KVM works", NULL },
		{ "print", 0, 0, G_OPTION_ARG_NONE, &options->print,
		  "Print QEMU's command line and end (its throwaway files are gone then)", NULL },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

/* Where the definition says that its results go. */
static char *output_directory(const RunOptions *options, GError **error)
{
	g_autoptr(VarveDefinition) definition = NULL;

	if (options->output)
		return g_strdup(options->output);
	definition = varve_definition_load(options->directory ? options->directory : ".", error);
	return definition ? g_strdup(definition->project.output_dir) : NULL;
}

static char *find_image(const RunOptions *options, const char *name, const VarveArch *arch,
			GError **error)
{
	g_autofree char *directory = NULL;

	if (strchr(name, '/') || g_str_has_suffix(name, ".raw") ||
	    g_file_test(name, G_FILE_TEST_IS_REGULAR))
		return g_strdup(name);
	directory = output_directory(options, error);
	return directory ? varve_disk_find(directory, name, arch, error) : NULL;
}

static gboolean check_options(const RunOptions *options, GError **error)
{
	if (options->ssh_port < 0 || options->ssh_port > 65535)
		return varve_fail(error, VARVE_ERROR_USAGE, "--ssh: %d is not a port",
				  options->ssh_port);
	if (options->memory < 0 || options->cpus < 0)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "--memory and --cpus take positive numbers");
	if (options->ssh_key && !options->ssh_port)
		return varve_fail(error, VARVE_ERROR_USAGE, "--ssh-key needs --ssh PORT");
	if (options->secure_boot && options->variables)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "--secure-boot enrols keys, and --variables brings its own: give "
				  "one of them");
	if (options->keys && !options->secure_boot)
		return varve_fail(error, VARVE_ERROR_USAGE, "--keys needs --secure-boot");
	if (options->tpm_state && !options->tpm)
		return varve_fail(error, VARVE_ERROR_USAGE, "--tpm-state needs --tpm");
	return TRUE;
}

static gboolean open_enrolment(const RunOptions *options, VarveEnrolment **ret, GError **error)
{
	g_autofree char *keys = NULL;

	if (!options->secure_boot)
		return TRUE;
	keys = varve_keys_find(options->keys, options->directory, error);
	*ret = keys ? varve_enrolment_open(keys, error) : NULL;
	return *ret != NULL;
}

static void print_command(const VarveMachine *machine)
{
	for (const char *const *word = varve_machine_command(machine); *word; word++) {
		g_autofree char *quoted = g_shell_quote(*word);

		printf("%s%s", quoted, word[1] ? " \\\n  " : "\n");
	}
}

static void announce(const VarveMachine *machine, const char *image)
{
	fprintf(stderr, "booting %s: %s\n", image, varve_machine_accelerator(machine));
	if (varve_machine_ssh_command(machine))
		fprintf(stderr, "log in: %s\n", varve_machine_ssh_command(machine));
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Ctrl-A X ends the machine, Ctrl-A C leads to QEMU's monitor\n");
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const RunOptions *options = invocation->options;
	const VarveArch *arch =
		options->arch ? varve_arch_find(options->arch) : varve_arch_native();
	g_autoptr(VarveTools) tools = varve_tools_open(NULL);
	g_autoptr(VarveEnrolment) enrolment = NULL;
	g_autoptr(VarveMachine) machine = NULL;
	g_autofree char *image = NULL;
	int status = 0;

	if (!arch) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "--arch: '%s' is not an architecture; expected x86-64 or arm64",
			   options->arch);
		return VARVE_EXIT_USAGE;
	}
	if (!check_options(options, error))
		return VARVE_EXIT_USAGE;
	image = find_image(options, invocation->argv[0], arch, error);
	if (!image || !open_enrolment(options, &enrolment, error))
		return VARVE_EXIT_FAILED;
	machine = varve_machine_prepare(&(VarveRun){ .arch = arch,
						     .image = image,
						     .layers = (const char *const *)options->layers,
						     .keep = options->keep,
						     .memory = (guint)options->memory,
						     .cpus = (guint)options->cpus,
						     .ssh_port = (guint)options->ssh_port,
						     .ssh_key = options->ssh_key,
						     .log = options->log,
						     .report = options->report,
						     .log_writes = options->log_writes,
						     .variables = options->variables,
						     .enrolment = enrolment,
						     .permissive = options->permissive,
						     .tpm = options->tpm,
						     .tpm_state = options->tpm_state,
						     .network = options->network,
						     .no_reboot = options->no_reboot,
						     .allow_kvm = !options->no_kvm,
						     .tools = tools },
					error);
	if (!machine)
		return VARVE_EXIT_FAILED;
	if (options->print) {
		print_command(machine);
		return VARVE_EXIT_OK;
	}
	announce(machine, image);
	return varve_machine_run(machine, &status, error) ? status : VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_run = {
	.words = "run",
	.arguments = "EDITION|IMAGE",
	.summary = "Boot an image in QEMU with its console on the terminal.",
	.details = "KVM is used where it really works, else the machine is emulated. The image is "
		   "not changed unless --keep is given; the keys of --secure-boot are enrolled "
		   "anew at each run. The guest reaches nothing outside unless --network is given.",
	.options_size = sizeof(RunOptions),
	.entries = entries,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
