# Prints an example coffer.conf from conf.def: every setting, commented out, with its sentence and default.
#
#   awk -f example.awk conf.def >coffer.conf.example

BEGIN {
    print "# Coffer's configuration. A line that begins with # says what the setting below it does; remove the"
    print "# ; before a setting to change it. coffer(8) `coffer config` prints what is in force and where it came from."
    print "# Everybody on the machine can read this file as it was installed: secrets go into the environment file of the"
    print "# service, or change group and mode first."
}

# C(section, key, KIND, default, min, max, flags, sentence): only the default and the sentence are quoted.
/^C\(/ {
    split(substr($0, 3), head, /, */)
    rest = $0
    sub(/^[^"]*"/, "", rest)
    default_value = rest
    sub(/".*/, "", default_value)
    sentence = rest
    sub(/^[^"]*"[^"]*"/, "", sentence)
    sub(/"\)[^"]*$/, "", sentence)
    gsub(/\\"/, "\"", sentence)
    if (head[1] != section) {
        section = head[1]
        printf "\n[%s]\n", section
    }
    required = $0 ~ /CONF_REQUIRED/
    printf "# %s%s\n", sentence, required ? " Required." : ""
    printf ";%s =%s%s\n", head[2], default_value == "" ? "" : " ", default_value
}
