/* Damage, and mounts over the stack, for people and programs. */
#include "cli/varvectl/show-health.h"

#include "base/text.h"

#include <stdio.h>

/* Paths are what layers and mounts made them. */
static void print_line(const char *indent, const char *text)
{
	g_autofree char *line = varve_text_line(text);

	printf("%s%s\n", indent, line);
}

static void show_damage(const VarveDamage *damage, const char *indent)
{
	g_autofree char *sentence = varve_damage_sentence(damage);
	g_autofree char *next = varve_damage_next(damage);
	g_autofree char *text = g_strdup_printf("DAMAGED: layer %s %s: %s: %s", damage->layer,
						damage->version, sentence, next);

	print_line(indent, text);
}

static void show_overmount(const VarveOvermount *overmount, const char *indent)
{
	g_autofree char *text = g_strdup_printf("NOT COMPLIANT: %s: %s", overmount->sentence,
						varve_overmount_next(overmount));

	print_line(indent, text);
}

void varve_show_health(const VarveHealth *health, const char *indent)
{
	for (guint i = 0; health->damage && i < health->damage->len; i++)
		show_damage(health->damage->pdata[i], indent);
	if (health->damage && health->damage->len > 0)
		printf("%sNOT COMPLIANT: not everything that runs here can be read as it was "
		       "signed\n",
		       indent);
	if (!health->damage)
		printf("%sWhether blocks are damaged is not known: %s\n", indent,
		       health->damage_unknown);
	for (guint i = 0; health->overmounts && i < health->overmounts->len; i++)
		show_overmount(health->overmounts->pdata[i], indent);
	if (!health->overmounts)
		printf("%sWhether something is mounted over the stack is not known: %s\n", indent,
		       health->overmounts_unknown);
}

static json_t *damage_to_json(const VarveDamage *damage)
{
	g_autofree char *sentence = varve_damage_sentence(damage);
	g_autofree char *next = varve_damage_next(damage);
	json_t *json = json_object();

	json_object_set_new(json, "layer", json_string(damage->layer));
	json_object_set_new(json, "version", json_string(damage->version));
	json_object_set_new(json, "file", json_string(damage->file));
	json_object_set_new(json, "block",
			    damage->known ? json_integer((json_int_t)damage->block) : json_null());
	json_object_set_new(json, "verity-tree", json_boolean(damage->tree));
	json_object_set_new(json, "path", varve_json_text(damage->path));
	json_object_set_new(json, "package", varve_json_text(damage->package));
	json_object_set_new(json, "sentence", varve_json_text(sentence));
	json_object_set_new(json, "next", json_string(next));
	return json;
}

static json_t *overmount_to_json(const VarveOvermount *overmount)
{
	json_t *json = json_object();

	json_object_set_new(json, "path", varve_json_text(overmount->path));
	json_object_set_new(json, "type", varve_json_text(overmount->type));
	json_object_set_new(json, "source", varve_json_text(overmount->source));
	json_object_set_new(json, "sentence", varve_json_text(overmount->sentence));
	return json;
}

void varve_show_health_json(const VarveHealth *health, json_t *object)
{
	json_t *damage = health->damage ? json_array() : json_null();
	json_t *overmounts = health->overmounts ? json_array() : json_null();

	for (guint i = 0; health->damage && i < health->damage->len; i++)
		json_array_append_new(damage, damage_to_json(health->damage->pdata[i]));
	for (guint i = 0; health->overmounts && i < health->overmounts->len; i++)
		json_array_append_new(overmounts, overmount_to_json(health->overmounts->pdata[i]));
	json_object_set_new(object, "damage", damage);
	json_object_set_new(object, "mounted-over", overmounts);
	if (!health->damage)
		json_object_set_new(object, "damage-unknown",
				    varve_json_text(health->damage_unknown));
	if (!health->overmounts)
		json_object_set_new(object, "mounted-over-unknown",
				    varve_json_text(health->overmounts_unknown));
}
