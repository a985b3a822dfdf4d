/* Answers as JSON: docs/node.md says what the members mean. */
#include "trace/answer.h"

#include "format/members.h"

#include <string.h>
#include <sys/stat.h>

/* What both sides of a comparison have. */
static json_t *metadata_json(mode_t mode, uid_t uid, gid_t gid, const char *target,
			     const char *label)
{
	g_autofree char *text = g_strdup_printf("%06o", (guint)mode);
	json_t *object = json_object();

	json_object_set_new(object, "mode", json_string(text));
	json_object_set_new(object, "uid", json_integer(uid));
	json_object_set_new(object, "gid", json_integer(gid));
	if (S_ISLNK(mode))
		json_object_set_new(object, "target", varve_json_escaped(target));
	if (*label)
		json_object_set_new(object, "label", varve_json_escaped(label));
	return object;
}

static json_t *found_json(const VarveTraceFound *found)
{
	json_t *object =
		metadata_json(found->mode, found->uid, found->gid, found->target, found->label);

	if (S_ISREG(found->mode))
		json_object_set_new(object, "size", json_integer((json_int_t)found->size));
	if (found->read)
		json_object_set_new(object, "sha256", varve_members_of_digest(&found->digest));
	if (*found->unread)
		json_object_set_new(object, "unread", varve_json_escaped(found->unread));
	return object;
}

static json_t *record_json(const VarvePath *record)
{
	json_t *object = metadata_json(record->mode, record->uid, record->gid, record->target,
				       record->label);

	if (S_ISREG(record->mode)) {
		json_object_set_new(object, "size", json_integer((json_int_t)record->size));
		json_object_set_new(object, "sha256", varve_members_of_digest(&record->digest));
	}
	return object;
}

json_t *varve_trace_package_json(const VarveManifestPackage *package)
{
	g_autofree char *nevra = varve_manifest_package_nevra(package);
	g_autofree char *evr = varve_manifest_package_evr(package);
	json_t *object = json_object();

	json_object_set_new(object, "nevra", json_string(nevra));
	json_object_set_new(object, "name", json_string(package->name));
	json_object_set_new(object, "evr", json_string(evr));
	json_object_set_new(object, "arch", json_string(package->arch));
	json_object_set_new(object, "source", json_string(package->source));
	json_object_set_new(object, "license", json_string(package->license));
	json_object_set_new(object, "vendor", json_string(package->vendor));
	json_object_set_new(object, "upstream", json_string(package->upstream));
	json_object_set_new(object, "sha256", varve_members_of_digest(&package->digest));
	json_object_set_new(object, "component",
			    package->component ? varve_component_facts_to_json(package->component)
					       : json_null());
	return object;
}

static json_t *signer_json(const VarveTraceSigner *signer)
{
	json_t *object = json_object();

	json_object_set_new(object, "certificate", varve_json_escaped(signer->certificate));
	json_object_set_new(object, "subject", varve_json_escaped(signer->subject));
	json_object_set_new(object, "fingerprint", json_string(signer->fingerprint));
	json_object_set_new(object, "development", json_boolean(signer->development));
	json_object_set_new(object, "verified", json_boolean(signer->verified));
	json_object_set_new(object, "basis", varve_json_escaped(signer->basis));
	return object;
}

json_t *varve_trace_layer_json(const VarveTraceLayer *layer)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", json_string(layer->manifest->name));
	json_object_set_new(object, "version", json_string(layer->manifest->version));
	json_object_set_new(object, "role", json_string(varve_role_name(layer->manifest->role)));
	json_object_set_new(object, "root", json_string(layer->root));
	json_object_set_new(object, "file", varve_json_escaped(layer->file));
	json_object_set_new(object, "signer", signer_json(&layer->signer));
	json_object_set_new(object, "enforced", json_boolean(layer->enforced));
	json_object_set_new(object, "enforcement", varve_json_escaped(layer->enforcement));
	return object;
}

static json_t *earlier_json(const VarveTraceEarlier *earlier)
{
	json_t *object = json_object();

	json_object_set_new(object, "generation", json_integer(earlier->generation));
	json_object_set_new(object, "layer", varve_json_escaped(earlier->layer));
	json_object_set_new(object, "version", varve_json_escaped(earlier->version));
	json_object_set_new(object, "root", json_string(earlier->root));
	json_object_set_new(object, "until", json_integer((json_int_t)earlier->until));
	json_object_set_new(object, "now",
			    earlier->now ? varve_trace_layer_json(earlier->now) : json_null());
	json_object_set_new(object, "same", json_boolean(earlier->same));
	return object;
}

/* "mode, owner" as an array of words. */
static json_t *differs_json(guint what)
{
	g_autofree char *words = varve_change_words(what);
	g_auto(GStrv) list = g_strsplit(words, ", ", -1);

	return varve_json_strings((const char *const *)list);
}

static json_t *others_json(const VarveTraceAnswer *answer)
{
	json_t *array = json_array();

	for (guint i = 0; i < answer->others->len; i++) {
		const VarveTraceOther *other = answer->others->pdata[i];
		json_t *object = varve_trace_layer_json(other->layer);

		json_object_set_new(object, "expected", record_json(other->record));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *problems_json(const GPtrArray *problems)
{
	json_t *array = json_array();

	for (guint i = 0; i < problems->len; i++)
		json_array_append_new(array, varve_json_escaped(problems->pdata[i]));
	return array;
}

json_t *varve_trace_answer_json(const VarveTraceAnswer *answer)
{
	const VarveManifestPackage *package = varve_trace_answer_package(answer);
	json_t *object = json_object();

	json_object_set_new(object, "path", varve_json_escaped(answer->path));
	json_object_set_new(object, "state", json_string(varve_trace_state_name(answer->state)));
	json_object_set_new(object, "found",
			    answer->found ? found_json(answer->found) : json_null());
	json_object_set_new(object, "layer",
			    answer->layer ? varve_trace_layer_json(answer->layer) : json_null());
	json_object_set_new(object, "problems", problems_json(answer->problems));
	json_object_set_new(object, "differs", differs_json(answer->differs));
	if (answer->earlier)
		json_object_set_new(object, "earlier", earlier_json(answer->earlier));
	if (*answer->filesystem)
		json_object_set_new(object, "filesystem", varve_json_escaped(answer->filesystem));
	if (!answer->layer)
		return object;
	json_object_set_new(object, "at", varve_json_escaped(answer->at));
	json_object_set_new(object, "describes-layer", json_boolean(answer->describes_layer));
	json_object_set_new(object, "package",
			    package ? varve_trace_package_json(package) : json_null());
	if (answer->record && !answer->describes_layer)
		json_object_set_new(object, "expected", record_json(answer->record));
	json_object_set_new(object,
			    answer->found && S_ISDIR(answer->found->mode) ? "also-in" : "overrides",
			    others_json(answer));
	return object;
}

json_t *varve_trace_why_json(const VarveTraceWhy *why)
{
	json_t *object = json_object(), *links = json_array();

	for (guint i = 0; i + 1 < why->answers->len; i++)
		json_array_append_new(links, varve_trace_answer_json(why->answers->pdata[i]));
	json_object_set_new(object, "asked", varve_json_escaped(why->asked));
	json_object_set_new(object, "links", links);
	json_object_set_new(object, "answer", varve_trace_answer_json(varve_trace_why_last(why)));
	return object;
}
