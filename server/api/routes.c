/* routes.c - the whole HTTP interface on one screen.
 *
 * SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "http/problem.h"

/* clang-format off */
const struct route api_routes[] = {
/*   method  path                                     handler                      parameters               body         effect  what it does */
    {GET,    "/v1/locks",                             api_locks_list,              params_list,             BODY_NONE,   SHOWS,  "locks, with their holders"},
    {GET,    "/v1/locks/{name}",                      api_lock_show,               NULL,                    BODY_NONE,   SHOWS,  "who holds a lock, until when, and who waits"},
    {DELETE, "/v1/locks/{name}",                      api_lock_delete,             NULL,                    BODY_NONE,   ENDS,   "end the hold: the next in line has it"},
    {POST,   "/v1/locks/{name}/acquire",              api_lock_acquire,            params_lock_acquire,     BODY_PARAMS, BEGINS, "take a lock, waiting in line if asked to"},
    {POST,   "/v1/locks/{name}/renew",                api_lock_renew,              params_renew,            BODY_PARAMS, KEEPS,  "begin the lease anew"},
    {POST,   "/v1/locks/{name}/release",              api_lock_release,            params_release,          BODY_PARAMS, ENDS,   "give a lock back"},

    {GET,    "/v1/semaphores",                        api_semaphores_list,         params_list,             BODY_NONE,   SHOWS,  "semaphores, with their free permits"},
    {GET,    "/v1/semaphores/{name}",                 api_semaphore_show,          NULL,                    BODY_NONE,   SHOWS,  "permits, holders and the line"},
    {PUT,    "/v1/semaphores/{name}",                 api_semaphore_put,           params_semaphore_put,    BODY_PARAMS, BEGINS, "make a semaphore, or resize it"},
    {DELETE, "/v1/semaphores/{name}",                 api_semaphore_delete,        NULL,                    BODY_NONE,   ENDS,   "forget one that nobody holds or waits for"},
    {POST,   "/v1/semaphores/{name}/acquire",         api_semaphore_acquire,       params_semaphore_acquire, BODY_PARAMS, BEGINS, "take permits, waiting in line if asked to"},
    {POST,   "/v1/semaphores/{name}/renew",           api_semaphore_renew,         params_renew,            BODY_PARAMS, KEEPS,  "begin the lease anew"},
    {POST,   "/v1/semaphores/{name}/release",         api_semaphore_release,       params_release,          BODY_PARAMS, ENDS,   "give permits back"},

    {GET,    "/v1/counters",                          api_counters_list,           params_list,             BODY_NONE,   SHOWS,  "counters, with their values"},
    {GET,    "/v1/counters/{name}",                   api_counter_show,            NULL,                    BODY_NONE,   SHOWS,  "the value of a counter"},
    {DELETE, "/v1/counters/{name}",                   api_counter_delete,          NULL,                    BODY_NONE,   ENDS,   "forget a counter"},
    {POST,   "/v1/counters/{name}/add",               api_counter_add,             params_add,              BODY_PARAMS, BEGINS, "add to a counter"},
    {POST,   "/v1/counters/{name}/set",               api_counter_set,             params_set,              BODY_PARAMS, BEGINS, "set a counter"},
    {POST,   "/v1/counters/{name}/compare_and_set",   api_counter_compare_and_set, params_compare_and_set,  BODY_PARAMS, BEGINS, "set a counter if its value is the expected one"},

    {GET,    "/v1/executors",                         api_executors_list,          params_list,             BODY_NONE,   SHOWS,  "executors, with how many tasks are in which state"},
    {GET,    "/v1/executors/{name}",                  api_executor_show,           NULL,                    BODY_NONE,   SHOWS,  "one executor"},
    {PUT,    "/v1/executors/{name}",                  api_executor_put,            params_executor_put,     BODY_PARAMS, BEGINS, "make an executor, or give it other terms"},
    {DELETE, "/v1/executors/{name}",                  api_executor_delete,         NULL,                    BODY_NONE,   ENDS,   "forget one whose tasks have all finished"},
    {POST,   "/v1/executors/{name}/tasks",            api_task_submit,             params_submit,           BODY_OPEN,   BEGINS, "submit a task"},

    {GET,    "/v1/tasks",                             api_tasks_list,              params_tasks_list,       BODY_NONE,   SHOWS,  "tasks, newest first"},
    {GET,    "/v1/tasks/{id}",                        api_task_show,               NULL,                    BODY_NONE,   SHOWS,  "state, progress, attempts and worker of a task"},
    {DELETE, "/v1/tasks/{id}",                        api_task_cancel,             NULL,                    BODY_NONE,   ENDS,   "cancel a task, or tell it to stop"},
    {GET,    "/v1/tasks/{id}/result",                 api_task_result,             params_result,           BODY_NONE,   SHOWS,  "the result of a task, waiting for it if asked to"},
    {POST,   "/v1/run/{kind}",                        api_run,                     params_run,              BODY_OPEN,   BEGINS, "run a kind of task now, on this request's own thread"},
    {GET,    "/v1/kinds",                             api_kinds_list,              NULL,                    BODY_NONE,   SHOWS,  "every kind of task, with its arguments"},

    {GET,    "/v1/stream",                            api_stream,                  params_stream,           BODY_NONE,   SHOWS,  "server-sent events: what changes"},
    {GET,    "/v1/threads",                           api_threads_list,            NULL,                    BODY_NONE,   SHOWS,  "every thread of the server, and what it does"},
    {GET,    "/v1/config",                            api_config_show,             NULL,                    BODY_NONE,   SHOWS,  "the settings the server runs with"},
    {GET,    "/metrics",                              api_metrics_show,            NULL,                    BODY_NONE,   SHOWS,  "numbers for Prometheus"},
    {GET,    "/livez",                                api_livez,                   NULL,                    BODY_NONE,   SHOWS,  "200 while the server lives"},
    {GET,    "/readyz",                               api_readyz,                  NULL,                    BODY_NONE,   SHOWS,  "200 while it takes requests that change something"},
    {GET,    "/healthz",                              api_livez,                   NULL,                    BODY_NONE,   SHOWS,  "the same as /livez"},

    {GET,    "/problems",                             problem_list,                NULL,                    BODY_NONE,   SHOWS,  "every kind of error"},
    {GET,    "/problems/{slug}",                      problem_page,                NULL,                    BODY_NONE,   SHOWS,  "what an error means, and what to do"},
    {GET,    "/openapi.json",                         api_page,                    NULL,                    BODY_NONE,   SHOWS,  "this interface, as OpenAPI 3.1"},
    {GET,    "/",                                     api_page,                    NULL,                    BODY_NONE,   SHOWS,  "the dashboard"},
    {GET,    "/index.html",                           api_page,                    NULL,                    BODY_NONE,   SHOWS,  "the dashboard"},
    {GET,    "/style.css",                            api_page,                    NULL,                    BODY_NONE,   SHOWS,  "a file of the dashboard"},
    {GET,    "/favicon.svg",                          api_page,                    NULL,                    BODY_NONE,   SHOWS,  "a file of the dashboard"},
    {GET,    "/js/{file}",                            api_page,                    NULL,                    BODY_NONE,   SHOWS,  "a file of the dashboard"},
    {GET,    "/js/parts/{file}",                      api_page,                    NULL,                    BODY_NONE,   SHOWS,  "a file of the dashboard"},
    {GET,    "/js/views/{file}",                      api_page,                    NULL,                    BODY_NONE,   SHOWS,  "a file of the dashboard"},
};
/* clang-format on */

const size_t api_routes_len = sizeof api_routes / sizeof api_routes[0];

static const char *const effects[] = {
    [BEGINS] = "begins", [SHOWS] = "shows", [KEEPS] = "keeps", [ENDS] = "ends"};

void
api_routes_print(struct bytes *b)
{
    for (size_t i = 0; i < api_routes_len; i++) {
        const struct route *r = &api_routes[i];

        bytes_addf(b, "%-6s %s", method_name[r->method], r->path);
        for (const struct param *p = r->params; p && p->name; p++)
            bytes_addf(b, " %s%s", p->name, p->required ? "!" : "");
        bytes_addf(b, "%s (%s)\n", r->body == BODY_OPEN ? " ..." : "", effects[r->effect]);
    }
}
