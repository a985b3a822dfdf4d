/* The rules, as one table: stable code, meaning, next step, check. The order is the order in which
 * they are asked; the first that refuses gives the reason. */
#include "base/text.h"
#include "policy/rule.h"

#include <string.h>

#define BEFORE(code, means, next) \
	{ \
		{ code, means, next }, VARVE_STAGE_BEFORE, NULL \
	}

static const VarveRule rules[] = {
	BEFORE("policy-invalid", "the base's policy or one of its certificates cannot be read",
	       "repair the policy in the definition and build the base again; until then the base "
	       "runs alone"),
	BEFORE("base-unknown", "the base does not say what it consists of",
	       "build the base with 'varve build', so that it carries its manifest and path table"),
	BEFORE("base-rollback", "the base is older than one that was good on this node",
	       "start the entry of the newer base in the boot menu, or install a newer image"),
	BEFORE("base-support-ended", "the base is past the end of its support",
	       "install a newer image; support-end = \"warn\" in the base's policy would merge all "
	       "the same"),
	BEFORE("did-not-come-up",
	       "no stack of this base came up on this node, so the base runs alone",
	       "look at 'varvectl history' and 'varvectl log'; 'varvectl merge' or 'varvectl swap' "
	       "tries again"),
	BEFORE("failed-before", "it was merged on this node before, and was not well",
	       "take another version; --force of 'varvectl swap' and 'merge' takes it all the "
	       "same"),
	BEFORE("unreadable", "the file cannot be opened or is no regular file",
	       "look at the file and its directory; put a good copy in its place"),
	BEFORE("not-a-layer", "the file is not a layer: partition table or signature are malformed",
	       "remove the file, or put a good copy in its place"),
	BEFORE("untrusted", "no certificate of the base made the signature",
	       "have the layer signed by a key that the base's policy names, or remove the file"),
	BEFORE("not-admitted", "it has no platform signature, and the kernel asks for one",
	       "admit it for this platform with 'varve layer admit', or remove the file"),
	BEFORE("damaged", "bytes of the layer are not those that were signed",
	       "put a good copy of the layer in its place; check the disk"),
	BEFORE("kernel-refused", "the kernel does not accept its platform signature",
	       "admit it with 'varve layer admit' and a key whose certificate is in the firmware's "
	       "db"),
	BEFORE("not-mountable", "the kernel would not make the device or mount the filesystem",
	       "see the kernel's log; the base may lack a module that this layer needs"),
	BEFORE("manifest-invalid",
	       "there is no manifest or path table in it, or they are malformed",
	       "build the layer again with 'varve layer build'"),
	BEFORE("manifest-mismatch", "the layer's tree is not what its path table says",
	       "build the layer again with 'varve layer build'; ask its signer how this came "
	       "about"),
	{ { "role", "the layer's role cannot be merged",
	    "a base is installed with an image, not as "
	    "an extension: remove the file" },
	  VARVE_STAGE_SELF,
	  varve_rule_role },
	{ { "revoked", "the key or the layer was revoked", "put a newer version in its place" },
	  VARVE_STAGE_SELF,
	  varve_rule_revoked },
	{ { "denied-locally", "a file of this node's /etc/varve/policy.d denies it",
	    "remove the layer, or the rule in that file" },
	  VARVE_STAGE_SELF,
	  varve_rule_denied_locally },
	{ { "key-scope", "the key may not sign a layer of this name and role",
	    "have it signed by the key that the policy names for this layer, or extend the policy "
	    "and "
	    "build the base again" },
	  VARVE_STAGE_SELF,
	  varve_rule_key_scope },
	{ { "architecture", "the layer is for another architecture",
	    "put the build for this machine in its place" },
	  VARVE_STAGE_SELF,
	  varve_rule_architecture },
	{ { "extension-release", "the layer was made for another OS or version, or does not say",
	    "put the build for this base in its place" },
	  VARVE_STAGE_SELF,
	  varve_rule_extension_release },
	{ { "misnamed", "the file's name and the signed manifest disagree",
	    "rename the file to NAME_VERSION_ARCH.raw as the manifest says" },
	  VARVE_STAGE_SELF,
	  varve_rule_misnamed },
	{ { "rollback", "an older build than the lowest that is still acceptable",
	    "put a newer version in its place" },
	  VARVE_STAGE_SELF,
	  varve_rule_rollback },
	{ { "support-ended", "the layer is past the end of its support",
	    "put a newer version in its place" },
	  VARVE_STAGE_SELF,
	  varve_rule_support_ended },
	{ { "path-outside-usr", "the layer brings something outside /usr",
	    "build the layer again: files of /etc and /var go to /usr/share/factory" },
	  VARVE_STAGE_SELF,
	  varve_rule_path_outside_usr },
	{ { "device-node", "the layer brings a device node, a pipe, a socket or a whiteout",
	    "build the layer again without it" },
	  VARVE_STAGE_SELF,
	  varve_rule_device_node },
	{ { "overlay-attribute", "the layer would hide files of the layers below it",
	    "build the layer again without trusted.overlay attributes" },
	  VARVE_STAGE_SELF,
	  varve_rule_overlay_attribute },
	{ { "setuid", "a file is setuid or setgid and the policy does not allow it",
	    "drop the bit, or allow the path in the policy (setuid-paths)" },
	  VARVE_STAGE_SELF,
	  varve_rule_setuid },
	{ { "file-capability", "a file has capabilities and the policy does not allow it",
	    "drop them, or allow the path in the policy (capability-paths)" },
	  VARVE_STAGE_SELF,
	  varve_rule_file_capability },
	{ { "kernel-module", "the layer brings kernel modules and the policy does not allow it",
	    "leave them out, or allow them in the policy (kernel-modules)" },
	  VARVE_STAGE_SELF,
	  varve_rule_kernel_module },
	{ { "reserved-path", "the layer brings a file that steers the system itself",
	    "leave it out, or allow the path in the policy (reserved-paths)" },
	  VARVE_STAGE_SELF,
	  varve_rule_reserved_path },
	{ { "path-scope", "the layer brings a path that its key may not bring",
	    "leave it out, or allow the path in the policy (paths)" },
	  VARVE_STAGE_SELF,
	  varve_rule_path_scope },
	{ { "patch-scope", "the patch overrides a file that its key may not",
	    "have it signed by a key that may (patches and paths of one [[allow]])" },
	  VARVE_STAGE_SELF,
	  varve_rule_patch_scope },
	{ { "unlabelled", "a path has no SELinux label, although the base's have",
	    "build the layer again with the base's file contexts" },
	  VARVE_STAGE_SELF,
	  varve_rule_unlabelled },
	{ { "wrong-label", "a path has another SELinux label than the base's policy gives it",
	    "build the layer again with the base's file contexts, or allow the type in the policy "
	    "(selinux-types)" },
	  VARVE_STAGE_SELF,
	  varve_rule_wrong_label },
	{ { "retired", "the layer that the patch was made for carries the fix by now",
	    "nothing: 'varvectl gc' removes the file when no generation has it" },
	  VARVE_STAGE_PATCH,
	  varve_rule_retired },
	{ { "patch-mismatch", "what the patch overrides is not what it was made for",
	    "make it again for the layers that are merged, with 'varve layer patch'" },
	  VARVE_STAGE_PATCH,
	  varve_rule_patch_mismatch },
	BEFORE("superseded", "a newer patch stands for all that this one overrides",
	       "nothing: 'varvectl gc' removes the file when no generation has it"),
	{ { "duplicate-layer", "another layer of this name is merged",
	    "remove one of the two files" },
	  VARVE_STAGE_CONFLICT,
	  varve_rule_duplicate_layer },
	{ { "path-conflict",
	    "a layer below brings the same path, or a program of that name where PATH looks too",
	    "build the layer again without the path; only a patch may override a file" },
	  VARVE_STAGE_CONFLICT,
	  varve_rule_path_conflict },
	{ { "directory-mismatch", "a shared directory would get another mode, owner or label",
	    "build the layer again: shared directories must be as the base has them" },
	  VARVE_STAGE_CONFLICT,
	  varve_rule_directory_mismatch },
	{ { "requires", "something that the layer needs is not in the stack",
	    "put the layer that provides it, or the build of this one for this base, into "
	    "/var/lib/varve/layers; 'varvectl plan' then says what would be merged" },
	  VARVE_STAGE_REQUIRE,
	  varve_rule_requires },
	{ { NULL, NULL, NULL }, VARVE_STAGE_BEFORE, NULL },
};

const VarveRule *varve_policy_rules(void)
{
	return rules;
}

const VarveReasonCode *varve_policy_codes(void)
{
	static VarveReasonCode codes[G_N_ELEMENTS(rules)];
	static gsize once;

	if (g_once_init_enter(&once)) {
		for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
			codes[i] = rules[i].reason;
		g_once_init_leave(&once, 1);
	}
	return codes;
}

static const VarveReasonCode *find_code(const char *code)
{
	for (const VarveRule *rule = rules; rule->reason.code; rule++) {
		if (strcmp(rule->reason.code, code) == 0)
			return &rule->reason;
	}
	g_error("'%s' is no reason code", code);
}

VarveRefusal *varve_refusal_new(const char *code, const char *format, ...)
{
	const VarveReasonCode *reason = find_code(code);
	VarveRefusal *refusal = g_new0(VarveRefusal, 1);
	va_list args;

	va_start(args, format);
	refusal->code = reason->code;
	refusal->retired = strcmp(code, "retired") == 0 || strcmp(code, "superseded") == 0;
	refusal->next = reason->next;
	refusal->sentence = varve_text_printable(format, args);
	va_end(args);
	return refusal;
}

VarveRefusal *varve_refusal_from_error(const GError *error)
{
	const char *code = "not-mountable";

	if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED))
		code = "untrusted";
	else if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT))
		code = "damaged";
	else if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		code = "unreadable";
	return varve_refusal_new(code, "%s", error->message);
}

void varve_refusal_free(VarveRefusal *refusal)
{
	if (!refusal)
		return;
	g_free(refusal->sentence);
	g_free(refusal);
}
