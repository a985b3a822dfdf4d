#include "trace/writable.h"

#include <string.h>
#include <sys/stat.h>

#define LABEL "system_u:object_r:etc_t:s0"

static const VarvePath signed_file = { .path = "etc/hosts",
				       .mode = S_IFREG | 0644,
				       .size = 10,
				       .digest = { { 1 } },
				       .target = "",
				       .label = LABEL,
				       .package = "" };
static const VarvePath factory_file = { .path = "usr/share/factory/etc/hosts",
					.mode = S_IFREG | 0600,
					.size = 20,
					.digest = { { 2 } },
					.target = "",
					.label = "system_u:object_r:usr_t:s0",
					.package = "" };

/* What is there when it is as @record has it, with another label. */
static VarveTraceFound found_as(const VarvePath *record, const char *label)
{
	return (VarveTraceFound){ .mode = record->mode,
				  .uid = record->uid,
				  .gid = record->gid,
				  .size = record->size,
				  .target = (char *)record->target,
				  .label = (char *)label,
				  .unread = (char *)"",
				  .read = S_ISREG(record->mode),
				  .digest = record->digest };
}

static void judge(const VarveTraceFound *found, gboolean base, gboolean factory, gboolean written,
		  VarveTraceState state, VarveWritableOrigin origin, guint differs)
{
	const VarveWritableFacts facts = { .found = found,
					   .base = base ? &signed_file : NULL,
					   .factory = factory ? &factory_file : NULL,
					   .written = written };
	VarveWritableVerdict verdict = varve_writable_judge(&facts);

	g_assert_cmpstr(varve_trace_state_name(verdict.state), ==, varve_trace_state_name(state));
	g_assert_cmpint((int)verdict.origin, ==, (int)origin);
	g_assert_cmpuint(verdict.differs, ==, differs);
}

static void test_judge(void)
{
	const VarveTraceFound as_base = found_as(&signed_file, LABEL);
	const VarveTraceFound as_factory = found_as(&factory_file, LABEL);
	VarveTraceFound other = as_base;

	judge(&as_base, TRUE, FALSE, FALSE, VARVE_TRACE_UNCHANGED, VARVE_WRITABLE_BASE, 0);
	/* Copied up and still the same: touched, or its times alone were set. */
	judge(&as_base, TRUE, FALSE, TRUE, VARVE_TRACE_UNCHANGED, VARVE_WRITABLE_BASE, 0);
	judge(&as_base, TRUE, TRUE, TRUE, VARVE_TRACE_UNCHANGED, VARVE_WRITABLE_BASE, 0);
	/* Placed by a layer; the label is that of the place. */
	judge(&as_factory, FALSE, TRUE, TRUE, VARVE_TRACE_UNCHANGED, VARVE_WRITABLE_FACTORY, 0);
	judge(&as_factory, TRUE, TRUE, TRUE, VARVE_TRACE_UNCHANGED, VARVE_WRITABLE_FACTORY, 0);
	other.digest.bytes[0] = 9;
	judge(&other, TRUE, FALSE, TRUE, VARVE_TRACE_CHANGED, VARVE_WRITABLE_BASE,
	      VARVE_CHANGE_CONTENT);
	judge(&other, TRUE, TRUE, TRUE, VARVE_TRACE_CHANGED, VARVE_WRITABLE_BASE,
	      VARVE_CHANGE_CONTENT);
	judge(&other, FALSE, TRUE, TRUE, VARVE_TRACE_CHANGED, VARVE_WRITABLE_FACTORY,
	      VARVE_CHANGE_CONTENT | VARVE_CHANGE_SIZE | VARVE_CHANGE_MODE);
	judge(&other, FALSE, FALSE, TRUE, VARVE_TRACE_LOCAL, VARVE_WRITABLE_NONE, 0);
	judge(NULL, TRUE, FALSE, TRUE, VARVE_TRACE_DELETED, VARVE_WRITABLE_BASE, 0);
	judge(NULL, TRUE, TRUE, TRUE, VARVE_TRACE_DELETED, VARVE_WRITABLE_BASE, 0);
	judge(NULL, FALSE, TRUE, TRUE, VARVE_TRACE_MISSING, VARVE_WRITABLE_FACTORY, 0);
	judge(NULL, FALSE, FALSE, TRUE, VARVE_TRACE_ABSENT, VARVE_WRITABLE_NONE, 0);
	/* Nobody wrote it, and it is as a factory has it: the base below is another one. */
	judge(&as_factory, TRUE, TRUE, FALSE, VARVE_TRACE_CHANGED, VARVE_WRITABLE_BASE,
	      VARVE_CHANGE_CONTENT | VARVE_CHANGE_SIZE | VARVE_CHANGE_MODE);
}

static void test_differs(void)
{
	static const VarvePath link = {
		.mode = S_IFLNK | 0777, .size = 4, .target = "bash", .label = "", .package = ""
	};
	VarveTraceFound found = found_as(&signed_file, LABEL);

	g_assert_cmpuint(varve_trace_differs(&signed_file, &found, TRUE), ==, 0);
	found.label = (char *)"system_u:object_r:shadow_t:s0";
	g_assert_cmpuint(varve_trace_differs(&signed_file, &found, TRUE), ==, VARVE_CHANGE_LABEL);
	g_assert_cmpuint(varve_trace_differs(&signed_file, &found, FALSE), ==, 0);
	found.uid = 7;
	found.mode = S_IFREG | 04644;
	g_assert_cmpuint(varve_trace_differs(&signed_file, &found, FALSE), ==,
			 VARVE_CHANGE_OWNER | VARVE_CHANGE_MODE);
	/* What could not be read is not called different. */
	found = found_as(&signed_file, LABEL);
	found.read = FALSE;
	found.digest.bytes[0] = 9;
	g_assert_cmpuint(varve_trace_differs(&signed_file, &found, TRUE), ==, 0);
	found = found_as(&link, LABEL);
	g_assert_cmpuint(varve_trace_differs(&link, &found, TRUE), ==, 0);
	found.target = (char *)"dash";
	g_assert_cmpuint(varve_trace_differs(&link, &found, TRUE), ==, VARVE_CHANGE_CONTENT);
	g_assert_cmpuint(varve_trace_differs(&signed_file, &found, TRUE), ==, VARVE_CHANGE_TYPE);
}

static void test_json(void)
{
	g_autoptr(VarveTraceWhy) why = varve_trace_why_new("/a\xff");
	VarveTraceAnswer *answer = varve_trace_answer_new("/a\xff");
	g_autoptr(json_t) json = NULL;
	g_autofree char *text = NULL;

	answer->state = VARVE_TRACE_LOCAL;
	answer->found = varve_trace_found_new();
	answer->found->mode = S_IFREG | 0600;
	answer->found->size = 3;
	varve_trace_answer_problem(answer, "a\x1b[2J");
	g_ptr_array_add(why->answers, answer);
	json = varve_trace_why_json(why);
	text = varve_json_dump(json, TRUE);
	g_assert_cmpstr(text, ==,
			"{\"answer\":{\"differs\":[],\"found\":{\"gid\":0,\"mode\":\"100600\","
			"\"size\":3,\"uid\":0},\"layer\":null,\"path\":\"/a\\\\377\",\"problems\":"
			"[\"a?[2J\"],\"state\":\"local\"},\"asked\":\"/a\\\\377\",\"links\":[]}");
	g_assert_cmpuint(varve_trace_why_problems(why), ==, 1);
	g_assert_true(varve_trace_answer_exists(answer));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/writable/judge", test_judge);
	g_test_add_func("/writable/differs", test_differs);
	g_test_add_func("/answer/json", test_json);
	return g_test_run();
}
