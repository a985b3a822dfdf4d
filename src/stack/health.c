/* A look at the running stack. */
#include "stack/health.h"

#include "stack/compliance.h"

#include "base/error.h"

VarveHealth *varve_node_health(const VarveReport *boot)
{
	VarveHealth *health = g_new0(VarveHealth, 1);
	g_autoptr(GError) damage_error = NULL, overmounts_error = NULL;

	health->damage = varve_node_damage(boot, &damage_error);
	health->damage_unknown = g_strdup(damage_error ? damage_error->message : "");
	health->overmounts = varve_node_overmounts(boot, &overmounts_error);
	health->overmounts_unknown = g_strdup(overmounts_error ? overmounts_error->message : "");
	return health;
}

void varve_health_free(VarveHealth *health)
{
	if (!health)
		return;
	g_clear_pointer(&health->damage, g_ptr_array_unref);
	g_clear_pointer(&health->overmounts, g_ptr_array_unref);
	g_free(health->damage_unknown);
	g_free(health->overmounts_unknown);
	g_free(health);
}

void varve_health_complain(const VarveHealth *health, VarveReport *report)
{
	for (guint i = 0; health->damage && i < health->damage->len; i++) {
		const VarveDamage *damage = health->damage->pdata[i];
		g_autofree char *sentence = varve_damage_sentence(damage);
		g_autofree char *next = varve_damage_next(damage);

		varve_report_complain(report, "damaged", next, "layer %s %s: %s", damage->layer,
				      damage->version, sentence);
	}
	for (guint i = 0; health->overmounts && i < health->overmounts->len; i++) {
		const VarveOvermount *overmount = health->overmounts->pdata[i];

		varve_report_complain(report, "mounted-over", varve_overmount_next(overmount), "%s",
				      overmount->sentence);
	}
}
