# Turns the SQL of the SQLite store into C. POSIX awk; run twice, in the build folder:
#
#   awk -v part=h -f sql/embed.awk sql/schema.sql sql/volatile.sql sql/statements.sql [sql/upgrade-*.sql] > fcgi-app/meta/sql_gen.h
#   awk -v part=c -f sql/embed.awk sql/schema.sql sql/volatile.sql sql/statements.sql [sql/upgrade-*.sql] > fcgi-app/meta/sql_gen.c
#
# schema.sql and volatile.sql become strings with their comments (so that the database explains itself),
# upgrade-NNNN-*.sql rows in the order given, statements.sql an enum and a table: one row per "-- name: x".

function fail(text) {
    print FILENAME ":" FNR ": " text | "cat 1>&2"
    failed = 1
    exit 1
}

function quoted(line) {
    gsub(/\\/, "&&", line)
    gsub(/"/, "\\\"", line)
    return "    \"" line "\\n\"\n"
}

FNR == 1 {
    base = FILENAME
    sub(/^.*\//, "", base)
    if (base !~ /^(schema|volatile|statements|upgrade-[0-9][0-9][0-9][0-9]-.*)\.sql$/)
        fail("not a file this script knows")
    if (base ~ /^upgrade-/) {
        upgrades++
        upgrade_version[upgrades] = substr(base, 9, 4) + 0
        upgrade_name[upgrades] = base
        if (upgrade_version[upgrades] != upgrades + 1)
            fail("upgrades are numbered 0002, 0003, ... without a gap")
    }
}

base == "statements.sql" && /^-- name: / {
    name = $3
    if (name !~ /^[a-z][a-z0-9_]*$/ || name in seen)
        fail("a name is lower case and stands once")
    seen[name] = 1
    names[++statements] = name
    next
}

/^[ \t]*(--.*)?$/ && base == "statements.sql" { next }

base == "statements.sql" && statements == 0 { fail("a statement without a name") }
base == "statements.sql" { text[statements] = text[statements] quoted($0); next }
base == "schema.sql"     { schema = schema quoted($0); next }
base == "volatile.sql"   { volatile_text = volatile_text quoted($0); next }
base ~ /^upgrade-/       { upgrade_text[upgrades] = upgrade_text[upgrades] quoted($0); next }

function header(    i) {
    print "/* Made by sql/embed.awk from sql/; change those. */"
    print "#pragma once\n"
    print "#define SQL_SCHEMA_VERSION " upgrades + 1 "\n"
    print "enum sql {"
    for (i = 1; i <= statements; i++)
        print "    SQL_" toupper(names[i]) ","
    print "    SQL_COUNT\n};\n"
    print "struct sql_statement {\n    const char *name, *text;\n};"
    print "struct sql_upgrade {\n    int version; /* that it leads to */\n    const char *name, *text;\n};\n"
    print "extern const struct sql_statement sql_statements[SQL_COUNT];"
    print "extern const struct sql_upgrade sql_upgrades[]; /* in order; ends with version 0 */"
    print "extern const char sql_schema[], sql_volatile[];"
}

function source(    i) {
    print "/* Made by sql/embed.awk from sql/; change those. */"
    print "#include \"meta/sql_gen.h\"\n"
    print "const char sql_schema[] =\n" schema ";\n"
    print "const char sql_volatile[] =\n" volatile_text ";\n"
    print "const struct sql_upgrade sql_upgrades[] = {"
    for (i = 1; i <= upgrades; i++)
        print "    {" upgrade_version[i] ", \"" upgrade_name[i] "\",\n" upgrade_text[i] "    },"
    print "    {0, 0, 0},\n};\n"
    print "const struct sql_statement sql_statements[SQL_COUNT] = {"
    for (i = 1; i <= statements; i++)
        print "    [SQL_" toupper(names[i]) "] = {\"" names[i] "\",\n" text[i] "    },"
    print "};"
}

END {
    if (failed)
        exit 1
    if (statements == 0 || schema == "" || volatile_text == "")
        fail("schema.sql, volatile.sql and statements.sql are all needed")
    if (part == "h")
        header()
    else if (part == "c")
        source()
    else
        fail("say -v part=h or -v part=c")
}
