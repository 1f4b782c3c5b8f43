/* topics.c - the one table of what kinds of named things there are, and recovery, which is told them by name.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/state.h"

#include <ctype.h>
#include <string.h>

#include "coord/hold.h"
#include "store/record.h"

const struct topic_rules *const topic_rules[TOPIC_COUNT_] = {
    [TOPIC_LOCK] = &lock_rules,       [TOPIC_SEMAPHORE] = &semaphore_rules,
    [TOPIC_COUNTER] = &counter_rules, [TOPIC_EXECUTOR] = &executor_rules,
    [TOPIC_TASK] = &task_rules,
};

/* A capital tag is one that may not be ignored. */
enum why
topic_unknown_tag(char tag, const char *kind, const char *name, struct fault *f)
{
    if (!isupper((unsigned char)tag))
        return WHY_OK;
    return fault_set(
        f, WHY_INTERNAL,
        "the %s %.64s in the store was written by a newer version (field %c): start that "
        "version on this data folder",
        kind, name, tag);
}

static enum why
load_locked(struct coord *c, const struct topic_rules *rules, enum topic t, const char *name,
            uint64_t seq, const void *record, size_t len, struct fault *f) BOB_HOLDS(L_STATE)
{
    enum why why = WHY_OK;
    struct object *o = names_find(c, t, name);

    if (!o)
        o = names_make(c, t, name, &why);
    if (!o)
        return fault_set(f, why, "no memory to load the %s %.64s", rules->name, name);
    if (o->rev < seq)
        o->rev = seq;
    return rules->load(c, o, record, len, f);
}

enum why
coord_load(void *arg, const char *kind, const char *name, uint64_t seq, const void *record,
           size_t len, struct fault *f)
{
    struct coord *c = arg;
    enum why why = WHY_INTERNAL;
    bool known = false;

    if (strlen(name) > NAME_MAX_LEN || !record_sound(record, len))
        return fault_set(f, WHY_INTERNAL,
                         "the record of the %s %.64s in the store is damaged" PUT_A_BACKUP, kind,
                         name);
    state_lock(c);
    if (strcmp(kind, HOLD_KIND) == 0) {
        why = hold_load(c, name, seq, record, len, f);
        known = true;
    }
    for (int t = 0; t < TOPIC_COUNT_ && !known; t++) {
        if (topic_rules[t]->load && strcmp(topic_rules[t]->name, kind) == 0) {
            why = load_locked(c, topic_rules[t], (enum topic)t, name, seq, record, len, f);
            known = true;
        }
    }
    state_unlock(c);
    if (!known)
        fault_set(f, why,
                  "the store holds a thing of the unknown kind %.32s: was it written by a newer "
                  "version? start that version on this data folder",
                  kind);
    return why;
}
