# The closing line of a test run: counts the results in Automake's .trs files. A program with a failed test ends with a status that
# Automake calls an error besides: that is one failure.
FNR == 1 { files++; failures = 0 }
/^:test-result: X?PASS/ { passed++ }
/^:test-result: (FAIL|XPASS)/ { failed++; failures++ }
/^:test-result: ERROR/ && failures == 0 { failed++ }
/^:test-result: SKIP/ { skipped++ }
END {
    if (files == 0)
        failed = 1
    printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
    exit failed > 0
}
