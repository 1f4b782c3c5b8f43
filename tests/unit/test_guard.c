/* test_guard.c - http/guard.c: what is let in, what is not, and what it is told.
 *
 * SPDX-License-Identifier: MIT */
#include "http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))

/* One "Name: value"; the value is what follows the first colon and one space. */
static void
see(struct guard *g, const char *line)
{
    const char *colon = strchr(line, ':');
    const char *value = colon[1] == ' ' ? colon + 2 : colon + 1;

    guard_see(g, line, (size_t)(colon - line), value, strlen(value));
}

FACT(lengths_are_read_and_never_overflow)
{
    static const struct {
        const char *line;
        int64_t length;
        bool body;
    } T[] = {
        {"X: y", -1, false},
        {"Content-Length: 0", 0, false},
        {"Content-Length: 42", 42, true},
        {"Content-Length: 0042 ", 42, true},
        {"Transfer-Encoding: chunked", -1, true},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct guard g = {0};

        see(&g, T[i].line);
        assert_int_equal(guard_length(&g), T[i].length);
        assert_int_equal(guard_has_body(&g), T[i].body);
    }
    struct guard g = {0};
    see(&g, "Content-Length: 99999999999999999999999999999999");
    assert_true(guard_length(&g) > INT64_C(1) << 40);
}

FACT(a_host_is_one_of_our_names_at_any_port)
{
    static const struct {
        const char *host;
        bool ok, ok_any_address;
    } T[] = {
        {"localhost", true, true},
        {"LocalHost:7070", true, true},
        {"127.0.0.1:7070", true, true},
        {"127.0.0.1:9", true, true}, /* a tunnel */
        {"[::1]", true, true},
        {"[::1]:7070", true, true},
        {"bobbin.lan", true, true},
        {"10.0.0.7:7070", false, true},
        {"[fe80::1]:7070", false, true},
        {"evil.example", false, false},
        {"evil.example:7070", false, false},
        {"localhost.evil.example", false, false},
        {"127.0.0.1.evil.example", false, false},
        {"localhost.", false, false},
        {"localhost:", false, false},
        {"localhost:70a", false, false},
        {":7070", false, false},
        {"", false, false},
        {"::1", false, false},
        {"[::1", false, false},
        {"a@localhost", false, false},
        {"localhost:1:2", false, false},
        {"999.0.0.1", false, false},
    };
    struct guard_hosts hosts = {0};

    assert_true(guard_hosts_add(&hosts, "localhost") && guard_hosts_add(&hosts, "127.0.0.1") &&
                guard_hosts_add(&hosts, "[::1]") && guard_hosts_add(&hosts, "bobbin.lan"));
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        const struct guard_text host = {T[i].host, strlen(T[i].host)};

        hosts.any_address = false;
        if (guard_host_ok(&hosts, host) != T[i].ok)
            fail_msg("%s", T[i].host);
        hosts.any_address = true;
        if (guard_host_ok(&hosts, host) != T[i].ok_any_address)
            fail_msg("%s, bound to the wildcard", T[i].host);
    }
}

FACT(only_our_own_pages_change_anything)
{
    static const struct {
        const char *says, *origin, *site; /* NULL: not sent */
        bool read, change;
    } T[] = {
        {"no browser", NULL, NULL, true, true},
        {"our page", "http://localhost:7070", "same-origin", true, true},
        {"our page behind a proxy with TLS", "https://localhost:7070", NULL, true, true},
        {"typed by hand", NULL, "none", true, true},
        {"a link on another site", NULL, "cross-site", true, false},
        {"another port of this machine", "http://localhost:3000", "same-site", false, false},
        {"the same, in an old browser", "http://localhost:3000", NULL, false, false},
        {"same-site alone", NULL, "same-site", true, false},
        {"a sandbox", "null", "cross-site", false, false},
        {"null alone", "null", NULL, false, false},
        {"another site", "http://evil.example", NULL, false, false},
        {"our name in theirs", "http://localhost:7070.evil.example", NULL, false, false},
        {"another name of ours", "http://127.0.0.1:7070", NULL, false, false},
        {"another scheme", "ftp://localhost:7070", NULL, false, false},
        {"nothing", "", NULL, false, false},
        {"what no browser says", NULL, "sideways", true, false},
    };
    struct guard_hosts hosts = {0};
    char line[100];

    assert_true(guard_hosts_add(&hosts, "localhost"));
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct guard g = {0};
        struct fault reads = {0}, changes = {0};

        see(&g, "Host: localhost:7070");
        if (T[i].origin) {
            (void)snprintf(line, sizeof line, "Origin: %s", T[i].origin);
            see(&g, line);
        }
        char site[40] = "Sec-Fetch-Site: ";
        if (T[i].site) {
            (void)snprintf(site, sizeof site, "Sec-Fetch-Site: %s", T[i].site);
            see(&g, site);
        }
        if ((guard_site(&g, &hosts, false, &reads) == WHY_OK) != T[i].read)
            fail_msg("%s: reading: %s", T[i].says, reads.detail);
        if ((guard_site(&g, &hosts, true, &changes) == WHY_OK) != T[i].change)
            fail_msg("%s: changing: %s", T[i].says, changes.detail);
    }
}

FACT(a_rebound_name_is_named)
{
    struct guard_hosts hosts = {0};
    struct guard g = {0};
    struct fault f = {0};

    assert_true(guard_hosts_add(&hosts, "localhost"));
    see(&g, "Host: evil.example:7070");
    assert_int_equal(guard_site(&g, &hosts, false, &f), WHY_FORBIDDEN);
    assert_non_null(strstr(f.detail, "evil.example:7070"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_read_and_never_overflow),
        cmocka_unit_test(a_host_is_one_of_our_names_at_any_port),
        cmocka_unit_test(only_our_own_pages_change_anything),
        cmocka_unit_test(a_rebound_name_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
