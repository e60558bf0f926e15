# The closing line of a test run: counts the results in Automake's .trs files.
FNR == 1 { files++ }
/^:test-result: X?PASS/ { passed++ }
/^:test-result: (FAIL|XPASS|ERROR)/ { failed++ }
/^:test-result: SKIP/ { skipped++ }
END {
    if (files == 0)
        failed = 1
    printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
    exit failed > 0
}
