/* Fields of relations. Whatever is accepted can be said in RPM's terms. */
#include "package/debian-relation.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GPtrArray) clauses = varve_debian_relations_parse(text, "input", NULL);

	for (guint i = 0; clauses && i < clauses->len; i++) {
		g_auto(VarveRpmClause) clause = { 0 };

		varve_debian_clause_to_rpm(g_ptr_array_index(clauses, i), &clause);
		if (!*clause.name || strpbrk(clause.name, "\n,|") ||
		    (clause.sense != 0) != (clause.version != NULL))
			__builtin_trap();
	}
	return 0;
}
