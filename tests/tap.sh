#!/bin/sh
# Runs a test program and mends its TAP: cmocka 1.1 calls a test that was skipped "not ok N # SKIP". What it took goes, as
# `seconds TAB outcome TAB name`, to the end of the file that COFFER_TEST_ROWS names. Where there are two MongoDBs, every other
# program gets the second.
began=$(date +%s.%N)
if [ -n "$COFFER_TEST_MONGODB_SECOND" ] && [ $(($(echo "$1" | cksum | cut -d' ' -f1) % 2)) = 0 ]; then
    COFFER_TEST_MONGODB_URI=$COFFER_TEST_MONGODB_SECOND
fi
exec 4>&1
status=$({ { "$@" 3>&- 4>&-; echo $? >&3; } | sed -u 's/^not ok \([0-9]* # SKIP\)/ok \1/' >&4; } 3>&1)
[ -z "$COFFER_TEST_ROWS" ] || echo "$began $(date +%s.%N) $1" | awk '{ printf "%.3f\tprogram\t%s\n", $2 - $1, $3 }' >>"$COFFER_TEST_ROWS"
exit "$status"
