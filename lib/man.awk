# man.awk - the man pages of the library, from its headers: awk -v version=V -v out=DIR -f man.awk lib/bobbin/*.h
#
# A header is a contract and its page is the same words: the opening comment is the description, and each block between
# blank lines is its declarations, as they stand, with the comment above them below.  Written are man3/bobbin_NAME.3
# for each header, man3/FUNCTION.3 for each function and man3/TYPE.3 for each type (they lead to the page), and
# man7/bobbin.7, the list of them, with the opening comment of bobbin.h.
#
# In a comment: "  NAME  text" is an item of a list, "Order:  text" too; what is indented further after an empty line is
# code, else it goes on; @word is an argument; two blanks end a sentence; "---- words ----" is a heading.
#
# SPDX-License-Identifier: MIT

function code(s) { # for roff: as it stands
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    gsub(/'/, "\\(aq", s)
    gsub(/\^/, "\\(ha", s)
    gsub(/~/, "\\(ti", s)
    gsub(/`/, "\\(ga", s)
    gsub(/ @/, " ", s) # of a comment beside the code
    return (s ~ /^\./ ? "\\&" : "") s
}

function words(s) { # for roff: prose, each sentence on a line of its own
    gsub(/\\/, "\\e", s)
    while (match(s, /@[a-z_0-9]+/))
        s = substr(s, 1, RSTART - 1) "\\fI" substr(s, RSTART + 1, RLENGTH - 1) "\\fP" substr(s, RSTART + RLENGTH)
    gsub(/  +/, "\n", s)
    gsub(/\n['.]/, "\n\\\\\\&&", s)
    sub(/^['.]/, "\\\\\\&&", s)
    return s
}

function emit(s) { body = body s "\n" }
function code_on() { if (!in_code) { emit((after_title ? "" : ".PP\n") ".in +4n\n.nf"); in_code = 1; after_title = 0 } }
function code_off() { if (in_code) { emit(".fi\n.in"); in_code = 0; fresh = 1 } }
function paragraph() { if (fresh && !after_title) emit(".PP"); fresh = after_title = 0 }

# One line of a comment, without its stars.
function comment_line(s, tag) {
    if (s == "" || s ~ /^SPDX/) {
        if (in_code)
            held = held "\n" # part of the code only if more of it follows
        fresh = 1
        in_item = 0
    } else if (s ~ /^---- .* ----$/) {
        code_off()
        gsub(/^---- | ----$/, "", s)
        emit(".SS " toupper(substr(s, 1, 1)) substr(s, 2))
        after_title = 1
    } else if (s ~ /^(  [^ ]|(Order|Threads|Locks|Memory|Errors|Needs): )/) {
        code_off()
        sub(/^  /, "", s)
        tag = s
        if (match(s, /(  +|: +)/)) {
            tag = substr(s, 1, RSTART - (substr(s, RSTART, 1) == ":" ? 0 : 1))
            s = substr(s, RSTART + RLENGTH)
        } else
            s = ""
        emit(".TP\n.B " code(tag))
        if (s != "")
            emit(words(s))
        in_item = fresh = 1
    } else if (s ~ /^    / && !in_item && (in_code || fresh)) {
        code_on()
        emit(held code(substr(s, 5)))
        held = ""
    } else {
        code_off()
        if (in_item && s !~ /^  /) {
            in_item = 0
            fresh = 1
        }
        if (!in_item)
            paragraph()
        sub(/^ +/, "", s)
        emit(words(s))
    }
}

# The comment of a block, kept until its declarations are out.
function comment_out(n, line, i) {
    n = split(comment, line, "\n")
    fresh = 1
    for (i = 1; i < n; i++)
        comment_line(line[i])
    code_off()
    comment = ""
    held = ""
    in_item = 0
}

function block_out() {
    if (decls != "") {
        emit((after_title ? "" : ".PP\n") ".nf\n" decls ".fi")
        after_title = 0
        decls = ""
    }
    if (comment != "")
        comment_out()
}

# Leads from @name to the page.
function note(name) {
    if (name in seen)
        return
    seen[name] = 1
    names = names ", " name
    print ".so man3/" page ".3" > (out "/man3/" name ".3")
    close(out "/man3/" name ".3")
}

# Every type, function, or macro that looks like one, declared in a line of code, outside of braces.
function note_names(s, name) {
    gsub(/\/\*.*\*\//, "", s)
    if (depth)
        return
    if (s ~ /^typedef/ && match(s, /bob_[a-z0-9_]+(;|\)\()/)) {
        name = substr(s, RSTART, RLENGTH)
        sub(/[;)].*/, "", name)
        note(name)
    } else if (match(s, /^(struct|enum) bob_[a-z0-9_]+( \{|;)/)) {
        name = substr(s, RSTART, RLENGTH)
        gsub(/^[a-z]+ |[ ;{]/, "", name)
        note(name)
    }
    if (s ~ /^(#[^d]|typedef)/)
        return
    if (s ~ /^#/)
        sub(/\).*/, "", s)
    while (match(s, /bob_[a-z0-9_]*[a-z0-9]\(/)) {
        note(substr(s, RSTART, RLENGTH - 1))
        s = substr(s, RSTART + RLENGTH)
    }
}

function declaration(s, bare) {
    bare = s
    gsub(/\/\*.*\*\/|\/\/.*|'.'/, "", bare)
    if (!cut && !in_macro)
        note_names(bare)
    if (s ~ /^static inline/) # its body is nobody's business
        inlined = 1
    if (bare !~ /^#/ && !in_macro)
        depth += gsub(/\{/, "{", bare) - gsub(/\}/, "}", bare)
    in_macro = s ~ /\\$/
    if (inlined) {
        if (s !~ /^[{} ]/ || (!cut && s !~ /^\{/))
            if (s != "}")
                decls = decls code(s) "\n"
        if (depth > 0)
            cut = 1
        else if (cut) {
            inlined = cut = 0
            sub(/\n$/, ";\n", decls)
        }
        return
    }
    if (cut && !depth)
        cut = 0
    if (!cut) {
        sub(/ +\\$/, " \\", s)
        decls = decls code(s) "\n"
    }
    if (s ~ /^ *\/\* private \*\//)
        cut = 1
}

function page_out(file, see, list, n, i) {
    sub(/#endif\n$/, "", decls) # of the guard
    block_out()
    file = out "/man3/" page ".3"
    print ".\\\" From bobbin/" module ".h by man.awk.\n.TH " toupper(page) " 3 \"\" \"bobbin " version "\"\n.nh\n.ad l" > file
    print ".SH NAME\n" page names " \\- " title > file
    print ".SH SYNOPSIS\n.nf\n.B #include <bobbin/" module ".h>\n.fi\n.PP\n" \
        "cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs bobbin)" > file
    printf "%s", body > file
    n = split(includes, list, " ")
    for (i = 1; i <= n; i++)
        see = see ".BR bobbin_" list[i] " (3),\n"
    print ".SH SEE ALSO\n" see ".BR bobbin (7)" > file
    close(file)
    modules = modules ".TP\n.BR " page " (3)\n" words(title) "\n"
}

FNR == 1 {
    if (module != "")
        page_out()
    module = FILENAME
    sub(/.*\//, "", module)
    sub(/\.h$/, "", module)
    page = "bobbin_" module
    body = names = includes = comment = decls = held = ""
    depth = cut = inlined = in_macro = in_code = in_item = 0
    title = $0
    sub(/^\/\* [^ ]* - /, "", title)
    sub(/\.$/, "", title)
    part = "title"
    next
}
part == "" { next }
part == "title" && /^ \* [^ ]/ { # goes on
    sub(/^ \*/, "")
    title = title $0
    sub(/\.$/, "", title)
    next
}
part == "title" {
    part = "opening"
    if (module != "bobbin") {
        emit(".SH DESCRIPTION")
        after_title = 1
    }
}
part == "opening" {
    done = sub(/ *\*\/$/, "")
    sub(/^ \* ?/, "")
    comment = comment $0 "\n"
    if (done) {
        comment_out()
        if (module == "bobbin") { # all of them: bobbin(7)
            of_all = body
            module = part = ""
            next
        }
        emit(".SH INTERFACE")
        after_title = 1
        part = "body"
    }
    next
}
/^#include <bobbin\// && !/annotate/ {
    sub(/.*\//, "")
    sub(/\.h>.*/, "")
    includes = includes " " $0
    next
}
/^#(include|ifndef BOBBIN_.*_H$|define BOBBIN_.*_H$)|^BOB_(BEGIN|END)_DECLS|^\/\* clang-format/ { next }
in_comment || (/^\/\*/ && !/\*\/ *[^ ]/) {
    if (!in_comment) {
        if (decls != "")
            block_out()
        sub(/^\/\* ?/, "")
    }
    in_comment = !sub(/ *\*\/$/, "")
    sub(/^ \* ?/, "")
    comment = comment $0 "\n"
    next
}
/^$/ {
    if (depth)
        declaration("")
    else
        block_out()
    next
}
{ declaration($0) }

END {
    page_out()
    file = out "/man7/bobbin.7"
    print ".\\\" From the headers by man.awk.\n.TH BOBBIN 7 \"\" \"bobbin " version "\"\n.nh\n.ad l" > file
    print ".SH NAME\nbobbin \\- Python's threading, queue and concurrent.futures for C" > file
    print ".SH SYNOPSIS\n.nf\n.B #include <bobbin/bobbin.h>\n.fi\n.PP\n" \
        "cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs bobbin)" > file
    print ".SH DESCRIPTION\nA library for C and C++ on Linux: libc and pthreads are all it needs.\n" \
        "Its names begin with bob_; every call that can fail returns\n.IR \"enum bob_err\" ,\n" \
        "and every wait takes a deadline: see\n.BR bobbin_time (3)." > file
    printf "%s", of_all > file
    print ".SH MODULES" > file
    printf "%s", modules > file
    close(file)
}
