/* Component groups: the components that patterns of `specs` find, and who is in which group. */
#include "definition/checks.h"
#include "definition/resolver.h"

#include <stdlib.h>
#include <string.h>

static gboolean is_excluded(const VarveComponentGroup *group, const char *path)
{
	for (gsize i = 0; group->excluded_paths[i]; i++) {
		if (varve_source_match(group->excluded_paths[i], path))
			return TRUE;
	}
	return FALSE;
}

static const char *spec_of(const VarveComponent *component)
{
	return component->found_spec ? component->found_spec : component->spec.path;
}

/* A spec makes the component that is called as it is, or is the spec of the one that is there. */
static void take_spec(VarveResolver *resolver, const VarveComponentGroup *group,
		      const VarveItem *item, VarveTomlSpan span, const char *path)
{
	VarveOrigin origin = varve_source_origin(item->source, span);
	g_autofree char *name = g_path_get_basename(path);
	char *dot = strrchr(name, '.');
	VarveMember member = { .group = group };
	const char *wrong;
	VarveComponent *component;

	if (dot && dot != name)
		*dot = '\0';
	wrong = varve_check_plain_name(name);
	if (wrong) {
		varve_loader_mistake(resolver->loader, item->source, span,
				     "'%s' makes a component whose name %s",
				     varve_loader_display(resolver->loader, path), wrong);
		return;
	}
	component = varve_resolver_find(resolver, name);
	if (!component)
		component = varve_resolver_add(resolver, name, origin);
	if (spec_of(component) && strcmp(spec_of(component), path) != 0) {
		varve_loader_mistake(resolver->loader, item->source, span,
				     "component '%s' has the spec '%s' already, and this finds "
				     "'%s'; exclude one with 'excluded-paths'",
				     name,
				     varve_loader_display(resolver->loader, spec_of(component)),
				     varve_loader_display(resolver->loader, path));
		return;
	}
	member.component = varve_loader_component(resolver->loader, name) - 1;
	g_array_append_val(resolver->members, member);
	if (component->found_spec)
		return;
	component->found_spec = varve_loader_keep(resolver->loader, g_strdup(path));
	component->found_origin = origin;
	component->found_by = group;
}

void varve_resolve_group_specs(VarveResolver *resolver, const struct VarveComponents *model)
{
	const VarveTable *groups = varve_table_child(resolver->loader->top, "component-groups");

	for (gsize i = 0; i < model->n_groups; i++) {
		const VarveComponentGroup *group = &model->groups[i];
		const VarveItem *item =
			varve_table_item(g_array_index(groups->items, VarveItem, i).table, "specs");

		for (gsize j = 0; item && item->field && group->specs[j]; j++) {
			g_autoptr(GPtrArray) found = varve_source_glob("/", group->specs[j]);

			for (guint k = 0; k < found->len; k++) {
				if (!is_excluded(group, found->pdata[k]))
					take_spec(resolver, group, item,
						  item->value->array.items[j]->span,
						  found->pdata[k]);
			}
		}
	}
}

/* Membership */

static int by_component(const void *a, const void *b)
{
	const VarveMember *left = a, *right = b;

	if (left->component != right->component)
		return left->component < right->component ? -1 : 1;
	return strcmp(left->group->name, right->group->name);
}

/* Those that groups name, beside those that their `specs` find. */
static GArray *list_members(VarveResolver *resolver, const struct VarveComponents *model)
{
	GArray *members = g_array_ref(resolver->members);

	for (gsize i = 0; i < model->n_groups; i++) {
		const VarveComponentGroup *group = &model->groups[i];

		for (gsize j = 0; group->components[j]; j++) {
			guint found =
				varve_loader_component(resolver->loader, group->components[j]);
			VarveMember member = { found - 1, group };

			if (found)
				g_array_append_val(members, member);
		}
	}
	if (members->len > 1)
		qsort(members->data, members->len, sizeof(VarveMember), by_component);
	return members;
}

void varve_resolve_membership(VarveResolver *resolver, const struct VarveComponents *model,
			      VarveComponent *components)
{
	g_autoptr(GArray) members = list_members(resolver, model);
	const VarveComponentGroup **groups =
		varve_loader_alloc(resolver->loader, members->len * sizeof(gpointer));
	gsize n = 0;

	for (guint i = 0; i < members->len; i++) {
		const VarveMember *member = &g_array_index(members, VarveMember, i);
		VarveComponent *component = &components[member->component];

		/* In one group for two reasons. */
		if (component->n_groups > 0 &&
		    component->groups[component->n_groups - 1] == member->group)
			continue;
		if (component->n_groups == 0)
			component->groups = &groups[n];
		groups[n++] = member->group;
		component->n_groups++;
	}
}
