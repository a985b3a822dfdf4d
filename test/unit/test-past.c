#include "stack/past.h"
#include "stack/xino.h"

#include "base/error.h"

#include <string.h>
#include <sys/sysmacros.h>

static VarveDigest digest(guint8 byte)
{
	VarveDigest value;

	memset(&value, byte, sizeof(value));
	return value;
}

static VarvePastStack *stack_of(guint generation, guint minor, guint layers)
{
	VarvePastStack *stack = varve_past_stack_new();

	stack->generation = generation;
	stack->device = makedev(0, minor);
	stack->since = 1700000000 + generation;
	for (guint i = layers; i-- > 0;) {
		g_autofree char *name = i ? g_strdup_printf("layer%u", i) : g_strdup("base");
		g_autofree char *device = g_strdup_printf("varve-%u", i);
		VarveDigest root = digest((guint8)i);

		varve_past_stack_add(stack, name, "1", device, &root);
	}
	return stack;
}

static void replace(GHashTable *files, const char *path, guint8 content, guint8 layer,
		    guint64 inode)
{
	VarvePastFile file = { .digest = digest(content), .layer = digest(layer), .inode = inode };

	g_hash_table_insert(files, g_strdup(path), g_memdup2(&file, sizeof(file)));
}

static const VarvePastFile *file_of(const VarvePast *past, guint stack, const char *path)
{
	return g_hash_table_lookup(((VarvePastStack *)past->stacks->pdata[stack])->replaced, path);
}

static void add(VarvePast *past, VarvePastStack *stack, GHashTable *files)
{
	g_autoptr(GHashTable) owned = files ? files : varve_past_files_new();

	varve_past_add(past, stack, owned);
}

/* Three stacks: the second replaces a, the third a again and b. */
static VarvePast *make_past(void)
{
	VarvePast *past = varve_past_new();
	GHashTable *first = varve_past_files_new(), *second = varve_past_files_new();

	add(past, stack_of(1, 40, 3), NULL);
	replace(first, "/usr/lib/a", 1, 1, 11);
	add(past, stack_of(2, 41, 3), first);
	replace(second, "/usr/lib/a", 2, 2, 22);
	replace(second, "/usr/lib/b", 3, 0, 33);
	add(past, stack_of(3, 42, 4), second);
	return past;
}

/* What a stack had first is what it had: later ones do not change that. */
static void test_add(void)
{
	g_autoptr(VarvePast) past = make_past();
	VarveDigest one = digest(1), two = digest(2), three = digest(3);

	g_assert_cmpuint(past->stacks->len, ==, 3);
	g_assert_true(varve_digest_equal(&file_of(past, 0, "/usr/lib/a")->digest, &one));
	g_assert_true(varve_digest_equal(&file_of(past, 0, "/usr/lib/b")->digest, &three));
	g_assert_true(varve_digest_equal(&file_of(past, 1, "/usr/lib/a")->digest, &two));
	g_assert_cmpuint(g_hash_table_size(((VarvePastStack *)past->stacks->pdata[2])->replaced),
			 ==, 0);
	g_assert_cmpuint(varve_past_running(past)->generation, ==, 3);
}

/* The kernel gives the number of a filesystem that is gone to the next. */
static void test_device_again(void)
{
	g_autoptr(VarvePast) past = make_past();

	add(past, stack_of(4, 40, 3), NULL);
	g_assert_cmpuint(past->stacks->len, ==, 3);
	g_assert_cmpuint(((VarvePastStack *)past->stacks->pdata[0])->generation, ==, 2);
	g_assert_cmpuint(varve_past_running(past)->generation, ==, 4);
}

static void test_forget(void)
{
	static const char *const all[] = { "varve-0", "varve-1", "varve-2", "varve-3", NULL };
	static const char *const fewer[] = { "varve-0", "varve-1", NULL };
	static const char *const none[] = { NULL };
	g_autoptr(VarvePast) past = make_past(), unnamed = varve_past_new();
	VarvePastStack *stack = varve_past_stack_new();
	VarveDigest root = digest(0);

	g_assert_cmpuint(varve_past_forget(past, all), ==, 0);
	g_assert_cmpuint(varve_past_forget(past, fewer), ==, 2);
	/* The running one stays, whatever is missing. */
	g_assert_cmpuint(past->stacks->len, ==, 1);
	g_assert_cmpuint(varve_past_running(past)->generation, ==, 3);
	/* Nothing is known of a layer without a device: its stack stays. */
	stack->device = 1;
	varve_past_stack_add(stack, "base", "1", "", &root);
	add(unnamed, stack, NULL);
	add(unnamed, stack_of(2, 41, 1), NULL);
	g_assert_cmpuint(varve_past_forget(unnamed, none), ==, 0);
}

static void test_numbers(void)
{
	g_autoptr(VarvePastStack) three = stack_of(1, 40, 3), one = stack_of(1, 40, 1);
	VarvePastFile file = { .layer = digest(1), .inode = 1407 };
	guint64 number = varve_past_number(three, &file), inode = 0;

	/* layer2 is 1, layer1 is 2, base is 3. */
	g_assert_cmpuint(number, ==, (guint64)2 << 62 | 1407);
	g_assert_cmpstr(varve_past_layer(three, number, &inode)->name, ==, "layer1");
	g_assert_cmpuint(inode, ==, 1407);
	g_assert_null(varve_past_layer(three, 1407, NULL));
	/* Below a single layer an empty directory makes two of it. */
	file.layer = digest(0);
	number = varve_past_number(one, &file);
	g_assert_cmpuint(number, ==, (guint64)1 << 62 | 1407);
	g_assert_cmpstr(varve_past_layer(one, number, NULL)->name, ==, "base");
	g_assert_null(varve_past_layer(one, (guint64)2 << 62 | 1, NULL));
	/* A later build of the layer has other inodes. */
	file.layer = digest(9);
	g_assert_cmpuint(varve_past_number(three, &file), ==, 0);
	file = (VarvePastFile){ .layer = digest(1) };
	g_assert_cmpuint(varve_past_number(three, &file), ==, 0);
}

static void test_again(void)
{
	g_autoptr(VarvePast) past = make_past(), again = NULL;
	g_autoptr(GHashTable) odd = varve_past_files_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL, *second = NULL;

	replace(odd, "/usr/lib/\xff\"\n\\", 4, 1, G_MAXINT64);
	varve_past_add(past, stack_of(4, 43, 2), g_steal_pointer(&odd));
	text = varve_past_write(past);
	again = varve_past_parse(text, strlen(text), "stacks", &error);
	g_assert_no_error(error);
	second = varve_past_write(again);
	g_assert_cmpstr(text, ==, second);
	g_assert_true(varve_past_running(again)->device == makedev(0, 43));
	g_assert_cmpuint(file_of(again, 2, "/usr/lib/\xff\"\n\\")->inode, ==, G_MAXINT64);
	g_assert_cmpstr(
		((VarvePastLayer *)((VarvePastStack *)again->stacks->pdata[0])->lowers->pdata[2])
			->device,
		==, "varve-0");
}

#define ROOT "0101010101010101010101010101010101010101010101010101010101010101"
#define LOWER "{\"name\":\"base\",\"version\":\"1\",\"device\":\"varve-x\",\"root\":\"" ROOT "\"}"
#define STACK(device, lowers, replaced) \
	"{\"format\":1,\"stacks\":[{\"generation\":1,\"device\":" device ",\"since\":1," \
	"\"lowers\":[" lowers "],\"replaced\":" replaced "}]}"

static void test_bad(void)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"format\":2,\"stacks\":[]}",
		"{\"format\":1}",
		"{\"format\":1,\"stacks\":[],\"more\":1}",
		"{\"format\":1,\"stacks\":[1]}",
		STACK("[0]", LOWER, "{}"),
		STACK("[0,-1]", LOWER, "{}"),
		STACK("[4096,1]", LOWER, "{}"),
		STACK("\"0:1\"", LOWER, "{}"),
		STACK("[0,1]", "", "{}"),
		STACK("[0,1]", "{}", "{}"),
		STACK("[0,1]", LOWER, "[]"),
		STACK("[0,1]", LOWER, "{\"x\":{}}"),
		STACK("[0,1]", LOWER, "{\"" ROOT "\":[]}"),
		STACK("[0,1]", LOWER, "{\"" ROOT "\":{\"/etc/x\":[1,\"" ROOT "\"]}}"),
		STACK("[0,1]", LOWER, "{\"" ROOT "\":{\"/usr/x\":[-1,\"" ROOT "\"]}}"),
		STACK("[0,1]", LOWER, "{\"" ROOT "\":{\"/usr/x\":[1,\"0\"]}}"),
		STACK("[0,1]", LOWER, "{\"" ROOT "\":{\"/usr/x\":[1]}}"),
		STACK("[0,1]", LOWER, "{\"" ROOT "\":{\"/usr/x\\\\\":[1,\"" ROOT "\"]}}"),
		STACK("[0,1]", LOWER, "{\"" ROOT "\":{\"/usr/\\\\000x\":[1,\"" ROOT "\"]}}"),
	};
	static const char good[] =
		STACK("[0,1]", LOWER, "{\"" ROOT "\":{\"/usr/x\":[1,\"" ROOT "\"]}}");
	g_autoptr(VarvePast) past = varve_past_parse(good, strlen(good), "stacks", NULL);

	g_assert_nonnull(past);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_past_parse(bad[i], strlen(bad[i]), "stacks", &error));
		g_test_message("%s", error->message);
		g_assert_true(g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT) ||
			      g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/past/what-a-stack-had-first-stays", test_add);
	g_test_add_func("/past/a-device-number-comes-again", test_device_again);
	g_test_add_func("/past/forgotten-with-their-devices", test_forget);
	g_test_add_func("/past/inode-numbers", test_numbers);
	g_test_add_func("/past/written-and-read", test_again);
	g_test_add_func("/past/bad", test_bad);
	return g_test_run();
}
