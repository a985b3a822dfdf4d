/* The same work on many items, on the cores there are. */
#include "base/parallel.h"

typedef struct {
	VarveWork work;
	gpointer data;
	gsize n;
	gsize next;  /* atomic */
	GMutex lock; /* guards the two below */
	gsize failed_index;
	GError *failure;
} Job;

static gpointer take_items(gpointer pointer)
{
	Job *job = pointer;

	for (;;) {
		gsize index = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
		g_autoptr(GError) error = NULL;

		if (index >= job->n)
			return NULL;
		if (job->work(index, job->data, &error))
			continue;
		g_mutex_lock(&job->lock);
		if (!job->failure || index < job->failed_index) {
			g_clear_error(&job->failure);
			job->failure = g_steal_pointer(&error);
			job->failed_index = index;
		}
		g_mutex_unlock(&job->lock);
		__atomic_store_n(&job->next, job->n, __ATOMIC_RELAXED);
	}
}

gboolean varve_parallel(gsize n, guint threads, VarveWork work, gpointer data, GError **error)
{
	Job job = { .work = work, .data = data, .n = n };
	g_autoptr(GPtrArray) others = g_ptr_array_new();

	g_mutex_init(&job.lock);
	threads = threads ? threads : g_get_num_processors();
	for (guint i = 1; i < threads && i < n; i++) {
		GThread *thread = g_thread_try_new("varve", take_items, &job, NULL);

		if (!thread)
			break; /* the work is done all the same, by fewer */
		g_ptr_array_add(others, thread);
	}
	take_items(&job);
	for (guint i = 0; i < others->len; i++)
		g_thread_join(g_ptr_array_index(others, i));
	g_mutex_clear(&job.lock);
	if (!job.failure)
		return TRUE;
	g_propagate_error(error, job.failure);
	return FALSE;
}
