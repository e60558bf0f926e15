#!/bin/sh
# Runs a test program and mends its TAP: cmocka 1.1 calls a test that was skipped "not ok N # SKIP".
exec 4>&1
status=$({ { "$@" 3>&- 4>&-; echo $? >&3; } | sed -u 's/^not ok \([0-9]* # SKIP\)/ok \1/' >&4; } 3>&1)
exit "$status"
